import Files
import Foundation
import Testing

@testable import TensorFiles

/// The zip container, whole and broken.
@Suite struct ZipTests {
    private let folder: TemporaryFolder
    private let records: [(name: String, bytes: [UInt8])]

    init() throws {
        folder = try TemporaryFolder()
        var random = Random(state: 5)
        records = [
            ("data.pkl", Array("pickle".utf8)), ("byteorder", Array("little".utf8)),
            ("data/0", (0..<3000).map { _ in UInt8.random(in: 0...255, using: &random) }), ("data/1", [7]),
            ("empty", []),
        ]
    }

    private func archive() throws -> URL {
        let url = folder.url.appendingPathComponent("whole.pth")
        var writer = try ZipWriter(url, folder: "whole")
        for (name, bytes) in records { try writer.add(name, bytes) }
        try writer.finish()
        return url
    }

    private func open(_ url: URL) throws -> ZipArchive { try ZipArchive(RandomAccessFile(url)) }

    @Test func recordsComeBack() throws {
        let url = try archive()
        let reader = try open(url)
        #expect(reader.names.sorted() == records.map { "whole/" + $0.name }.sorted())
        for (name, bytes) in records {
            #expect(try reader.bytes("whole/" + name) == bytes, "\(name)")
            #expect(try reader.range("whole/" + name).lowerBound % 64 == 0, "\(name) can be mapped")
        }
        expectError(.invalidData, [url.path, "'data/2'"], "an absent record") { _ = try reader.bytes("data/2") }
    }

    // Checksums that are known: of nothing, of "123456789" (the check value of the algorithm), of lengths around eight.
    @Test func checksums() {
        #expect(CRC32.checksum([]) == 0)
        #expect(CRC32.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(CRC32.checksum(Array("The quick brown fox jumps over the lazy dog".utf8)) == 0x414F_A339)
        #expect(CRC32.checksum([UInt8](repeating: 0, count: 32)) == 0x190A_55AD)
    }

    @Test func filesThatAreNotArchives() throws {
        var random = Random(state: 6)
        let noise = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
        let table: [(name: String, bytes: [UInt8])] = [
            ("empty", []), ("one byte", [80]), ("text", Array("hello world\n".utf8)), ("random bytes", noise),
            ("a zip's first bytes", [80, 75, 3, 4] + noise), ("zeros", [UInt8](repeating: 0, count: 4096)),
            ("more records than bytes", [80, 75, 5, 6, 0, 0, 0, 0, 255, 254, 255, 254, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("a directory behind the end", [80, 75, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, 46, 0, 0, 0, 255, 255, 0, 0, 0, 0]),
        ]
        for (name, bytes) in table {
            let url = try folder.file("other.pth", bytes)
            expectError(.invalidData, [url.path, "torch.save"], name) { _ = try open(url) }
        }
        let nothing = try folder.file("nothing.pth", [80, 75, 5, 6] + [UInt8](repeating: 0, count: 18))
        expectError(.invalidData, [nothing.path, "not a PyTorch file"], "a zip of nothing") {
            _ = try WeightFile(nothing)
        }
    }

    @Test func truncatedArchives() throws {
        let whole = [UInt8](try Data(contentsOf: archive()))
        for length in stride(from: 0, to: whole.count - 1, by: 97) {
            let url = try folder.file("cut.pth", Array(whole[..<length]))
            expectError(.invalidData, [url.path], "cut to \(length) of \(whole.count) bytes") { _ = try open(url) }
        }
    }

    @Test func changedArchives() throws {
        let whole = [UInt8](try Data(contentsOf: archive()))
        var random = Random(state: 7)
        var refused = 0
        for round in 0..<2000 {
            var changed = whole
            let first = round % 4 == 0 ? 0 : whole.count - 400
            changed[Int.random(in: first..<whole.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            let url = try folder.file("changed.pth", changed)
            do {
                let reader = try open(url)
                for name in reader.names { _ = try reader.bytes(name) }
            } catch let error as FileError {
                #expect(error.kind == .invalidData, "round \(round): \(error)")
                refused += 1
            }
        }
        #expect(refused > 500, "\(refused) of 2000 changes were seen")
    }

    @Test func placesThatCannotBeWritten() throws {
        expectError(.cannotWrite, [], "a missing folder") {
            _ = try ZipWriter(folder.url.appendingPathComponent("absent/model.pth"), folder: "m")
        }
        #if os(Linux)
            expectError(.cannotWrite, ["/dev/full"], "a full disk") {
                var writer = try ZipWriter(URL(fileURLWithPath: "/dev/full"), folder: "m")
                try writer.add("data/0", [UInt8](repeating: 1, count: 1 << 20))
                try writer.finish()
            }
        #endif
    }
}
