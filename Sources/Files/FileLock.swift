package import Foundation

/// A lock file that one process holds at a time and that names its owner. The system releases it when the process ends.
package final class FileLock {
    private let descriptor: Int32

    /// Takes the lock.
    ///
    /// - Parameter what: the purpose of the lock, for messages: "a process is training here".
    /// - Throws: `cannotWrite` that names the process holding it.
    package init(_ file: URL, what: String) throws(FileError) {
        descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw FileError(
                .cannotWrite, "cannot be created (\(FileSystem.reason(errno)))", source: file.path,
                remedy: "check the permissions of the folder, or choose another place")
        }
        // Some network file systems lack locks and report it: continue without one.
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            var bytes = [UInt8](repeating: 0, count: 32)
            let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
            let owner = String(decoding: bytes[..<count], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            close(descriptor)
            throw FileError(
                .cannotWrite, "\(what) (process \(owner.isEmpty ? "unknown" : owner))",
                source: file.deletingLastPathComponent().path, remedy: "stop it first, or choose another folder")
        }
        let owner = Array("\(ProcessInfo.processInfo.processIdentifier)\n".utf8)
        ftruncate(descriptor, 0)
        _ = pwrite(descriptor, owner, owner.count, 0)
    }

    deinit { close(descriptor) }
}
