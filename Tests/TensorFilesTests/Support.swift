import Files
import Foundation
import Testing

/// A temporary folder for one test, removed with the value.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("tensor-files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    @discardableResult
    func file(_ name: String, _ bytes: [UInt8]) throws -> URL {
        let file = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        return file
    }
}

/// Random numbers that are the same in every run: SplitMix64.
struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Expects a ``FileError`` of the kind, in one line with these words.
@discardableResult
func expectError(
    _ kind: FailureKind, _ words: [String], _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) -> String? {
    let error = #expect(throws: FileError.self, "\(what)", sourceLocation: sourceLocation) { try body() }
    guard let error else { return nil }
    #expect(error.kind == kind, "\(what): \(error)", sourceLocation: sourceLocation)
    #expect(!error.description.contains("\n"), "\(what): \(error)", sourceLocation: sourceLocation)
    #expect(error.description.utf8.count < 1000, "a line, not a page", sourceLocation: sourceLocation)
    for word in words where !error.description.contains(word) {
        Issue.record("\(what): expected '\(word)' in '\(error)'", sourceLocation: sourceLocation)
    }
    return error.description
}

func floats(_ bytes: [UInt8]) -> [Float] {
    stride(from: 0, to: bytes.count, by: 4).map { place in
        Float(bitPattern: bytes[place..<place + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }
}

func bytes(_ floats: [Float]) -> [UInt8] {
    floats.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
}

/// A safetensors file of float32 tensors.
func safetensors(_ tensors: [(name: String, shape: [Int], values: [Float])], metadata: String? = nil) -> [UInt8] {
    var fields = metadata.map { ["\"__metadata__\":\($0)"] } ?? []
    var offset = 0
    for (name, shape, values) in tensors {
        let end = offset + 4 * values.count
        fields.append("\"\(name)\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[\(offset),\(end)]}")
        offset = end
    }
    let header = Array("{\(fields.joined(separator: ","))}".utf8)
    return (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header
        + tensors.flatMap { bytes($0.values) }
}
