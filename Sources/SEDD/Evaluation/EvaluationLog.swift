import Crypto
import Files
public import Foundation
public import Text
import Torch

/// A file of finished blocks, one JSON object per line, so that a long evaluation can be resumed.
///
/// Each line carries a key derived from everything that determines its numbers: weights, tokens and settings. Lines
/// with other keys are ignored, so that one file can serve several models and data sets. An incomplete last line, left
/// by a killed run, is dropped. One process at a time writes to a file.
public final class EvaluationLog {
    private struct Line: Codable {
        let key: String
        let block: Int
        let nats: [Double]
    }

    /// Present in every line; keys are sorted.
    private static let beginning = Array("{\"block\":".utf8)

    private let key: String
    private let handle: FileHandle
    private let path: String
    private var found: [Int: [Double]] = [:]

    /// Opens or creates the file.
    ///
    /// - Parameters:
    ///   - weights: all weights of the model.
    ///   - model: other data that identifies the model.
    /// - Throws: ``SEDDError`` of kind `cannotWrite`, also if another process is writing to the file; `invalidData` if
    ///   a complete line is not an entry of this log.
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
        // Some network file systems lack locks and report it: continue without one.
        if flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            throw SEDDError(
                .cannotWrite, "\(path): another evaluation is writing to it; wait for its end, or choose another file")
        }
        try read()
    }

    deinit { try? handle.close() }

    /// The blocks of this evaluation found in the file.
    func blocks(terms: Int) -> [Int: [Double]] { found.filter { $0.value.count == terms } }

    func add(_ block: Int, _ nats: [Double]) throws {
        let line = try JSON.encode(Line(key: key, block: block, nats: nats)) + [UInt8(ascii: "\n")]
        do { try handle.write(contentsOf: line) } catch {
            throw SEDDError(.cannotWrite, "\(path): cannot write; free space and run the same command to continue")
        }
    }

    private func read() throws {
        let data = try handle.readToEnd() ?? Data()
        let end = data.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        for (index, line) in data[..<end].split(separator: UInt8(ascii: "\n")).enumerated() {
            guard let line = try? JSON.decode(Line.self, from: [UInt8](line), source: path),
                !line.nats.contains(where: \.isNaN)
            else {
                throw SEDDError(
                    .invalidData, "\(path): line \(index + 1) is not an evaluated block; choose another file")
            }
            if line.key == key { found[line.block] = line.nats }
        }
        // Only text that begins like a line of this log is treated as a line cut short by a killed run.
        let rest = data[end...]
        guard zip(rest, Self.beginning).allSatisfy({ $0 == $1 }) else {
            throw SEDDError(.invalidData, "\(path): not a log of evaluated blocks; choose another file")
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
