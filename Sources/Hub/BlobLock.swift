import Files
import Foundation

/// The lock that a process holds while it fetches a blob; `huggingface_hub` uses the same one.
final class BlobLock {
    private let descriptor: Int32
    /// False if the file system does not support locks: other processes may then fetch the same blob.
    let isHeld: Bool

    /// Waits until no other process holds it.
    ///
    /// - Parameter waiting: called once if another process holds the lock.
    /// - Throws: `cannotWrite`; `CancellationError`.
    init(_ file: URL, waiting: () -> Void) async throws {
        try FileSystem.createFolder(file.deletingLastPathComponent())
        // Group-writable, for caches shared by a group.
        let opened = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
        guard opened >= 0 else {
            throw FileError(
                .cannotWrite, "cannot be created (\(FileSystem.reason(errno)))", source: file.path,
                remedy: "check the permissions of the cache, or set HF_HUB_CACHE to another folder")
        }
        descriptor = opened
        var hasTold = false
        var held = false
        while true {
            if flock(opened, LOCK_EX | LOCK_NB) == 0 {
                held = true
                break
            }
            if errno == EINTR { continue }
            guard errno == EWOULDBLOCK else { break }
            if !hasTold { waiting() }
            hasTold = true
            do { try await Task.sleep(for: .milliseconds(100)) } catch {
                close(opened)
                throw error
            }
        }
        isHeld = held
    }

    deinit { close(descriptor) }
}
