package import Foundation

/// Bytes into a new file beside its final place, which appears whole or not at all.
///
/// The bytes go to `.NAME.partial-PID` in the same folder; ``finish()`` syncs and renames. A writer that is dropped
/// before that leaves nothing behind. A pipe or a device (`/dev/stdout`) is written to as it is.
package final class FileWriter {
    private let target: String
    /// Nil where the target is written to as it is.
    private let partial: String?
    private var descriptor: Int32

    /// Opens the partial file.
    ///
    /// - Throws: ``TorchError`` of kind `cannotWrite`.
    package init(_ url: URL) throws(TorchError) {
        target = url.path
        let folder = url.deletingLastPathComponent().path
        var information = stat()
        let isSpecial = stat(target, &information) == 0 && information.st_mode & S_IFMT != S_IFREG
        partial =
            isSpecial
            ? nil : folder + "/." + url.lastPathComponent + ".partial-\(ProcessInfo.processInfo.processIdentifier)"
        descriptor = open(partial ?? target, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("cannot write", target) }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        if let partial { unlink(partial) }
    }

    /// Appends `bytes`.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(TorchError) {
        var rest = bytes[...]
        while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
            #if canImport(Darwin)
                let written = Darwin.write(descriptor, start, rest.count)
            #else
                let written = Glibc.write(descriptor, start, rest.count)
            #endif
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw Self.failure("cannot write", target) }
            rest = rest.dropFirst(written)
        }
    }

    /// Appends `bytes`.
    package func write(_ bytes: [UInt8]) throws(TorchError) {
        let result = bytes.withUnsafeBytes { buffer in Result { () throws(TorchError) in try write(buffer) } }
        try result.get()
    }

    /// Syncs the bytes to disk and gives the file its name.
    package func finish() throws(TorchError) {
        // Pipes and some devices have nothing to sync.
        guard fsync(descriptor) == 0 || partial == nil else { throw Self.failure("cannot sync", target) }
        close(descriptor)
        descriptor = -1
        guard let partial else { return }
        guard rename(partial, target) == 0 else {
            let error = Self.failure("cannot rename to", target)
            unlink(partial)
            throw error
        }
    }

    /// Writes `bytes` to `url`, whole or not at all.
    package static func write(_ bytes: [UInt8], to url: URL) throws(TorchError) {
        let writer = try FileWriter(url)
        try writer.write(bytes)
        try writer.finish()
    }

    private static func failure(_ what: String, _ path: String) -> TorchError {
        TorchError(
            .cannotWrite, "\(path): \(what): \(String(cString: strerror(errno))); free space or choose another place")
    }
}
