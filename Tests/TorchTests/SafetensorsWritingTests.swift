import Foundation
import Testing
import Torch

/// Targets that cannot be written: an error of kind `cannotWrite`, and nothing left behind.
@Suite struct SafetensorsWritingTests {
    private let folder: TemporaryFolder
    private let tensors: [(name: String, tensor: Tensor)]

    init() throws {
        folder = try TemporaryFolder()
        tensors = [("w", try Tensor.zeros([1000]))]
    }

    @Test func folderThatIsNotThere() throws {
        let file = folder.url.appendingPathComponent("absent/model.safetensors")
        expectError(.cannotWrite, [file.path, "no such file"], "a missing folder") {
            try Safetensors.write(tensors, to: file)
        }
        #expect(try folder.contents == [])
    }

    @Test func folderThatIsAFile() throws {
        let file = try folder.file("obstacle", []).appendingPathComponent("model.safetensors")
        expectError(.cannotWrite, [file.path], "below a plain file") { try Safetensors.write(tensors, to: file) }
        #expect(try folder.contents == ["obstacle"])
    }

    @Test func fileThatIsAFolder() throws {
        let file = folder.url.appendingPathComponent("model.safetensors")
        try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
        expectError(.cannotWrite, [file.path], "a folder of that name") { try Safetensors.write(tensors, to: file) }
        #expect(try folder.contents == ["model.safetensors"], "no partial file is left")
        #expect(try FileManager.default.contentsOfDirectory(atPath: file.path) == [])
    }

    // Skipped as root, for whom nothing is read-only.
    @Test(.enabled(if: getuid() != 0, "skipped: root may write everywhere"))
    func folderThatIsReadOnly() throws {
        let locked = folder.url.appendingPathComponent("locked")
        try FileManager.default.createDirectory(
            at: locked, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o555])
        let file = locked.appendingPathComponent("model.safetensors")
        expectError(.cannotWrite, [file.path, "denied"], "a read-only folder") {
            try Safetensors.write(tensors, to: file)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: locked.path) == [])
    }

    // A pipe or a device (/dev/null, /dev/stdout) is written to or refused; a plain file must not take its name.
    @Test func pipesAndDevicesAreNotReplaced() throws {
        let pipe = folder.url.appendingPathComponent("pipe")
        try #require(mkfifo(pipe.path, 0o600) == 0)
        // Both ends open, so that a writer who opens the pipe is not held up.
        let descriptor = open(pipe.path, O_RDWR | O_NONBLOCK)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try? Safetensors.write(tensors, to: pipe)
        var information = stat()
        try #require(lstat(pipe.path, &information) == 0)
        #expect(information.st_mode & S_IFMT == S_IFIFO, "the pipe is now a plain file")
    }
}
