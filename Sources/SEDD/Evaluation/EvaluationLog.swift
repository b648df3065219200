import Crypto
import Files
public import Foundation
public import Text
import Torch

/// A file of finished blocks, a JSON object a line, so that a long evaluation goes on where it stopped.
///
/// Each line carries a key over everything that its numbers follow from: weights, tokens and settings. Lines of other keys are
/// left alone, so that one file serves several models and data sets; what a killed run left half-written is dropped.
public final class EvaluationLog {
    private struct Line: Codable {
        let key: String
        let block: Int
        let nats: [Double]
    }

    /// Of every line, whose keys are sorted.
    private static let beginning = Array("{\"block\":".utf8)

    private let key: String
    private let handle: FileHandle
    private let path: String
    private var found: [Int: [Double]] = [:]

    /// Opens or makes the file.
    ///
    /// - Parameters:
    ///   - weights: every number of the model.
    ///   - model: what else the model is.
    /// - Throws: ``SEDDError`` of kind `cannotWrite`; `invalidData` where a whole line is none of this log.
    public init(
        _ url: URL, weights: Weights, model: String, text: EvaluationText, length: Int,
        settings: EvaluationSettings
    ) throws {
        path = url.path
        key = try Self.key(weights, model, text, length, settings)
        if !FileManager.default.fileExists(atPath: path) {
            try OutputFile.write([], to: url)
        }
        var information = stat()
        guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw SEDDError(.cannotWrite, "\(path): not a regular file; choose another place for the finished blocks")
        }
        do { handle = try FileHandle(forUpdating: url) } catch {
            throw SEDDError(.cannotWrite, "\(path): cannot be opened for writing; choose another place")
        }
        try read()
    }

    deinit { try? handle.close() }

    /// Blocks of this evaluation that are in the file.
    func blocks(terms: Int) -> [Int: [Double]] { found.filter { $0.value.count == terms } }

    func add(_ block: Int, _ nats: [Double]) throws {
        let line = try JSON.encode(Line(key: key, block: block, nats: nats)) + [UInt8(ascii: "\n")]
        do { try handle.write(contentsOf: line) } catch {
            throw SEDDError(.cannotWrite, "\(path): cannot write; free space, and the same command goes on from there")
        }
    }

    private func read() throws {
        let data = try handle.readToEnd() ?? Data()
        let end = data.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        for (index, line) in data[..<end].split(separator: UInt8(ascii: "\n")).enumerated() {
            guard let line = try? JSON.decode(Line.self, from: [UInt8](line), source: path) else {
                throw SEDDError(
                    .invalidData, "\(path): line \(index + 1) is no block of an evaluation; choose another file")
            }
            if line.key == key { found[line.block] = line.nats }
        }
        // Only what begins as a line of this log is taken for one that a killed run has left half-written.
        let rest = data[end...]
        guard zip(rest, Self.beginning).allSatisfy({ $0 == $1 }) else {
            throw SEDDError(.invalidData, "\(path): this is no file of evaluated blocks; choose another")
        }
        try handle.truncate(atOffset: UInt64(end))
        try handle.seekToEnd()
    }

    private static func key(
        _ weights: Weights, _ model: String, _ text: EvaluationText, _ length: Int, _ settings: EvaluationSettings
    ) throws -> String {
        var hash = SHA256()
        hash.update(data: try weights.flat.moved(to: .cpu).bytes())
        hash.update(data: Data("\(model)\n\(length)\n".utf8))
        hash.update(data: try JSON.encode(settings))
        for block in 0..<(text.count / max(1, length)) {
            let tokens = try text.block(block, length: length).map { UInt32($0).littleEndian }
            tokens.withUnsafeBytes { hash.update(bufferPointer: $0) }
        }
        return hash.finalize().prefix(16).map { String(format: "%02x", $0) }.joined()
    }
}
