import Files
import Foundation
import Testing
import Torch

/// The zip container of PyTorch files, whole and broken.
@Suite struct ArchiveTests {
    private let folder: TemporaryFolder
    private let records: [(name: String, bytes: [UInt8])]

    init() throws {
        folder = try TemporaryFolder()
        var random = Random(state: 5)
        records = [
            ("data.pkl", Array("pickle".utf8)), ("byteorder", Array("little".utf8)),
            ("data/0", (0..<3000).map { _ in UInt8.random(in: 0...255, using: &random) }), ("data/1", [7]),
        ]
    }

    private func archive() throws -> URL {
        let url = folder.url.appendingPathComponent("whole.pth")
        let writer = try ArchiveWriter(url)
        for (name, bytes) in records { try writer.add(name, bytes) }
        try writer.finish()
        return url
    }

    @Test func recordsComeBack() throws {
        let url = try archive()
        let reader = try ArchiveReader(contentsOf: url)
        for (name, bytes) in records { #expect(try reader.record(name) == bytes, "\(name)") }
        expectError(.invalidFile, [url.path, "'data/2'"], "an absent record") { _ = try reader.record("data/2") }
        expectError(.invalidFile, [url.path], "a path out of the archive") { _ = try reader.record("../../etc/passwd") }
    }

    @Test func filesThatAreNoArchives() throws {
        var random = Random(state: 6)
        let noise = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
        let table: [(name: String, bytes: [UInt8])] = [
            ("empty", []), ("one byte", [80]), ("text", Array("hello world\n".utf8)), ("random bytes", noise),
            ("a zip's first bytes", [80, 75, 3, 4] + noise), ("a bare pickle", [0x80, 2, 125, 46]),
            ("a zip of nothing", [80, 75, 5, 6] + [UInt8](repeating: 0, count: 18)),
            ("zeros", [UInt8](repeating: 0, count: 4096)),
        ]
        for (name, bytes) in table {
            let url = try folder.file("no archive.pth", bytes)
            expectError(.invalidFile, [url.path, "PyTorch"], name) { _ = try ArchiveReader(contentsOf: url) }
        }
        expectError(.invalidFile, [folder.url.path], "a folder") { _ = try ArchiveReader(contentsOf: folder.url) }
        let absent = folder.url.appendingPathComponent("absent.pth")
        expectError(.missingFile, [absent.path, "no such file"], "absent") { _ = try ArchiveReader(contentsOf: absent) }
    }

    @Test func truncatedArchives() throws {
        let whole = [UInt8](try Data(contentsOf: archive()))
        for length in stride(from: 0, to: whole.count - 1, by: 97) {
            let url = try folder.file("cut.pth", Array(whole[..<length]))
            expectError(.invalidFile, [url.path], "cut to \(length) of \(whole.count) bytes") {
                _ = try ArchiveReader(contentsOf: url)
            }
        }
    }

    // One byte changed: the archive or a record is refused, or the records have the sizes they had. libtorch's reader is
    // built without checksums, so a change inside a record's bytes is not seen.
    @Test func changedArchives() throws {
        let whole = [UInt8](try Data(contentsOf: archive()))
        var random = Random(state: 7)
        var refused = 0
        // The directory is at the end; most changes go there.
        for round in 0..<400 {
            var changed = whole
            let first = round % 4 == 0 ? 0 : whole.count - 400
            changed[Int.random(in: first..<whole.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            let url = try folder.file("changed.pth", changed)
            do {
                let reader = try ArchiveReader(contentsOf: url)
                for (name, bytes) in records { #expect(try reader.record(name).count == bytes.count, "round \(round)") }
            } catch {
                #expect(error.kind == .invalidFile, "round \(round): \(error)")
                refused += 1
            }
        }
        #expect(refused > 100, "\(refused) of 400 changes were seen")
    }

    @Test func placesThatCannotBeWritten() throws {
        let inside = folder.url.appendingPathComponent("absent/model.pth")
        expectError(.cannotWrite, [inside.path], "a missing folder") { _ = try ArchiveWriter(inside) }
        expectError(.cannotWrite, [folder.url.path], "a folder") { _ = try ArchiveWriter(folder.url) }
    }

    // A full disk may end the process from a destructor, so another process tries.
    #if os(Linux)
        @Test func fullDisk() async {
            await #expect(processExitsWith: .success) {
                do {
                    let writer = try ArchiveWriter(URL(fileURLWithPath: "/dev/full"))
                    for index in 0..<4 { try writer.add("data/\(index)", [UInt8](repeating: 1, count: 1 << 20)) }
                    try writer.finish()
                } catch let error as TorchError {
                    exit(error.kind == .cannotWrite && error.description.contains("/dev/full") ? EXIT_SUCCESS : 3)
                }
                exit(4)
            }
        }

        @Test func abandonedOnAFullDisk() async {
            await #expect(processExitsWith: .success) {
                do {
                    let writer = try ArchiveWriter(URL(fileURLWithPath: "/dev/full"))
                    try writer.add("data/0", [UInt8](repeating: 1, count: 1 << 20))
                } catch {}
                exit(EXIT_SUCCESS)
            }
        }
    #endif
}
