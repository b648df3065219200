import Foundation

/// A file that appears under its name only when it is complete: written aside, synced, renamed.
///
/// One that is never committed leaves nothing behind.
final class OutputFile {
    let target: URL
    private let temporary: URL
    private var descriptor: Int32
    private var committed = false

    /// - Throws: `cannotWrite`.
    convenience init(_ target: URL) throws(TextError) {
        let unique = String(UInt64.random(in: .min ... .max), radix: 36)
        let name = ".\(target.lastPathComponent).\(unique).partial"
        try self.init(
            target, through: target.deletingLastPathComponent().appendingPathComponent(name), flags: O_CREAT | O_EXCL)
    }

    /// `temporary` must lie on the same volume as `target`; it is removed unless the file is committed.
    init(_ target: URL, through temporary: URL, flags: Int32) throws(TextError) {
        self.target = target
        self.temporary = temporary
        descriptor = open(temporary.path, O_WRONLY | O_CLOEXEC | flags, 0o644)
        guard descriptor >= 0 else { throw failure("cannot be created") }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !committed, descriptor >= 0 { unlink(temporary.path) }
    }

    /// Writes all the bytes, at `offset` from the start or, without one, after what was written before.
    /// - Throws: `cannotWrite`, naming the reason, such as a full disk.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int? = nil) throws(TextError) {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count =
                if let offset {
                    pwrite(descriptor, base + done, bytes.count - done, off_t(offset + done))
                } else {
                    Foundation.write(descriptor, base + done, bytes.count - done)
                }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("cannot be written") }
            done += count
        }
    }

    /// Makes the bytes durable and gives the file its name, in place of any that had it.
    /// - Throws: `cannotWrite`.
    func commit() throws(TextError) {
        guard fsync(descriptor) == 0 else { throw failure("cannot be written") }
        guard rename(temporary.path, target.path) == 0 else { throw failure("cannot be renamed into place") }
        committed = true
        // The name is durable only once the folder is; not every file system can sync one, and the data is safe.
        let folder = open(target.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// Writes a small file whole, creating its folder.
    /// - Throws: `cannotWrite`.
    static func write(_ bytes: [UInt8], to target: URL) throws(TextError) {
        try FileSystem.createFolder(target.deletingLastPathComponent())
        let file = try OutputFile(target)
        try bytes.withUnsafeBufferPointer { buffer throws(TextError) in try file.write(UnsafeRawBufferPointer(buffer)) }
        try file.commit()
    }

    private func failure(_ what: String) -> TextError {
        TextError(
            .cannotWrite, "\(what) (\(FileSystem.reason(errno)))", source: target.path,
            remedy: "check the free space and the permissions of the folder")
    }
}
