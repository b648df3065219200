import Foundation
import Testing

@testable import Files

struct FileTests {
    private func folder() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appending(path: "files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    @Test func writtenWholeOrNotAtAll() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let target = folder.appending(path: "deep/below/file")
        try OutputFile.write([1, 2, 3], to: target)
        #expect(try FileSystem.contents(of: target) == [1, 2, 3])
        do {
            let file = try OutputFile(target)
            try file.write([9])
        }
        #expect(try FileSystem.contents(of: target) == [1, 2, 3], "an abandoned file replaces nothing")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: target.deletingLastPathComponent().path) == ["file"])
    }

    /// What only its owner may read stays so when it is written again.
    @Test(arguments: [0o600, 0o640, 0o664, 0o444] as [mode_t])
    func theModeIsKept(_ mode: mode_t) throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let target = folder.appending(path: "file")
        try OutputFile.write([1], to: target)
        #expect(chmod(target.path, mode) == 0)
        try OutputFile.write([2], to: target)
        var information = stat()
        #expect(stat(target.path, &information) == 0)
        #expect(information.st_mode & 0o777 == mode)
        #expect(try FileSystem.contents(of: target) == [2])
    }

    /// A link stays, and the file that it names is replaced; a name may be as long as the file system permits.
    @Test func linksAndLongNames() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let (link, real) = (folder.appending(path: "link"), folder.appending(path: "below/real"))
        try OutputFile.write([1], to: real)
        #expect(symlink("below/real", link.path) == 0)
        try OutputFile.write([2], to: link)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == "below/real")
        #expect(try FileSystem.contents(of: real) == [2])
        let dangling = folder.appending(path: "dangling")
        #expect(symlink("below/new", dangling.path) == 0)
        try OutputFile.write([6], to: dangling)
        #expect(try FileSystem.contents(of: folder.appending(path: "below/new")) == [6])
        // In a cache, what a name stands for must not change.
        let (blob, snapshot) = (folder.appending(path: "blobs/e1"), folder.appending(path: "snapshot"))
        try OutputFile.write([7], to: blob)
        #expect(symlink("blobs/e1", snapshot.path) == 0)
        try OutputFile.write([8], to: snapshot)
        #expect(try FileSystem.contents(of: blob) == [7] && FileSystem.contents(of: snapshot) == [8])
        let long = folder.appending(path: String(repeating: "x", count: 255))
        try OutputFile.write([3], to: long)
        #expect(try FileSystem.contents(of: long) == [3])
        #if os(Linux)
            // As `> redirected` with --output /dev/stdout: what is open is written to, and no link is replaced.
            let redirected = folder.appending(path: "redirected")
            try Data([1, 2]).write(to: redirected)
            let descriptor = open(redirected.path, O_WRONLY | O_APPEND)
            defer { close(descriptor) }
            let stream = folder.appending(path: "stream")
            #expect(symlink("/proc/self/fd/\(descriptor)", stream.path) == 0)
            try OutputFile.write([4, 5], to: stream)
            #expect(try FileSystem.contents(of: redirected) == [1, 2, 4, 5], "what it has stays")
            #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: stream.path)) != nil)
        #endif
    }

    @Test func devicesAreWrittenAsTheyAre() throws {
        try OutputFile.write([1], to: URL(filePath: "/dev/null"))
        #if os(Linux)
            #expect { try OutputFile.write([1], to: URL(filePath: "/dev/full")) } throws: {
                "\($0)".contains("no space")
            }
        #endif
    }

    @Test func contentsOfPipesAndFolders() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let pipe = folder.appending(path: "pipe")
        #expect(mkfifo(pipe.path, 0o600) == 0)
        #expect(try FileSystem.contents(of: pipe) == [], "a pipe that nobody writes ends at once")
        #expect { try FileSystem.contents(of: folder) } throws: { "\($0)".contains("a folder") }
        #expect { try FileSystem.contents(of: folder.appending(path: "none")) } throws: {
            "\($0)".contains("no such file")
        }
        let file = folder.appending(path: "file")
        try OutputFile.write([UInt8](repeating: 7, count: 1000), to: file)
        #expect { try FileSystem.contents(of: file, limit: 999) } throws: { "\($0)".contains("more than 999 bytes") }
        #expect(try FileSystem.contents(of: file, limit: 1000).count == 1000)
        // Devices have sizes of 0, and some never end.
        #expect(try FileSystem.contents(of: URL(filePath: "/dev/null")) == [])
        #expect { try FileSystem.contents(of: URL(filePath: "/dev/zero"), limit: .max) } throws: {
            "\($0)".contains("more than 67108864 bytes")
        }
    }
}
