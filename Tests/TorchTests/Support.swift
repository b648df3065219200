import Files
import Foundation
import Testing
import Torch

/// A temporary folder for one test, removed with the value.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("torch-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func file(_ name: String, _ bytes: [UInt8]) throws -> URL {
        let file = url.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file
    }

    /// Names of the folder's contents, including hidden files.
    var contents: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }
}

/// SplitMix64: the same numbers in every run.
struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// `count` numbers in -1..<1.
    mutating func numbers(_ count: Int) -> [Double] {
        (0..<count).map { _ in Double.random(in: -1..<1, using: &self) }
    }
}

/// Fails with the largest difference and its position, if one exceeds `absolute` + `relative` |expected|.
func expectClose(
    _ found: [Double], _ expected: [Double], absolute: Double = 0, relative: Double = 0, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard found.count == expected.count else {
        Issue.record("\(what): \(found.count) values, expected \(expected.count)", sourceLocation: sourceLocation)
        return
    }
    // Values that are not finite must be equal.
    let excess = zip(found, expected).map { f, e in
        f == e || (f.isNaN && e.isNaN) ? 0 : abs(f - e) / (absolute + relative * abs(e))
    }
    guard let worst = excess.indices.max(by: { excess[$0] < excess[$1] || excess[$1].isNaN }) else { return }
    #expect(
        excess[worst] <= 1,
        """
        \(what): greatest difference at \(worst): found \(found[worst]), expected \(expected[worst]), \
        \(excess[worst]) times what is allowed
        """, sourceLocation: sourceLocation)
}

/// The error of `body`, which must be of `kind`, one line, and contain each of `words`.
@discardableResult
func expectError(
    _ kind: TorchError.Kind, _ words: [String], _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) -> String? {
    let error = #expect(throws: TorchError.self, "\(what)", sourceLocation: sourceLocation) { try body() }
    guard let error else { return nil }
    #expect(error.kind == kind, "\(what): \(error)", sourceLocation: sourceLocation)
    #expect(!error.description.contains("\n"), "\(what): \(error)", sourceLocation: sourceLocation)
    for word in words where !error.description.contains(word) {
        Issue.record("\(what): expected '\(word)' in '\(error)'", sourceLocation: sourceLocation)
    }
    return error.description
}
