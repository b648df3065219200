package import Foundation

/// A file that appears under its name only when it is complete: written to a temporary file, synced and renamed, and
/// its folder synced.
///
/// Without a commit nothing is left behind. A pipe or device (`/dev/stdout`) is written to directly.
package final class OutputFile {
    /// Path of the finished file.
    package let target: URL
    /// Nil if the target is written to directly.
    private let temporary: URL?
    private var descriptor: Int32
    /// Where the contents begin; not 0 in an open file that has some.
    private var start = 0

    /// - Throws: `cannotWrite`.
    package convenience init(_ named: URL) throws(FileError) {
        if let open = Self.descriptor(named) {
            try self.init(named, continuing: open)
            return
        }
        let target = Self.followed(named)
        var information = stat()
        let exists = stat(target.path, &information) == 0
        if exists, information.st_mode & S_IFMT != S_IFREG {
            try self.init(target, through: nil, flags: 0)
            return
        }
        let unique = String(UInt64.random(in: .min ... .max), radix: 36)
        // A name may have 255 bytes.
        let own = target.lastPathComponent
        let name = ".\(own.utf8.count > 200 ? "file" : own).\(unique).partial"
        try self.init(
            target, through: target.deletingLastPathComponent().appendingPathComponent(name), flags: O_CREAT | O_EXCL)
        // What may read the file that is replaced may read the new one. File systems without modes refuse.
        if exists { _ = fchmod(descriptor, information.st_mode & 0o777) }
    }

    /// The open file of this process to which the path leads by links, such as `/dev/stdout`.
    private static func descriptor(_ file: URL) -> Int32? {
        var path = file.path
        for _ in 0..<16 {
            for folder in ["/proc/self/fd/", "/dev/fd/"] where path.hasPrefix(folder) {
                return Int32(path.dropFirst(folder.count))
            }
            guard let next = destination(path) else { return nil }
            path = next
        }
        return nil
    }

    /// Where a link leads; nil if the path is not a link.
    private static func destination(_ path: String) -> String? {
        guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { return nil }
        return next.hasPrefix("/") ? next : URL(fileURLWithPath: path).deletingLastPathComponent().path + "/" + next
    }

    /// The file that a link names, which is replaced in place of the link, whether it exists or not. A link into a
    /// cache of files named by their content is replaced itself.
    private static func followed(_ file: URL) -> URL {
        var path = file.path
        for _ in 0..<16 {
            guard let next = destination(path) else { return path == file.path ? file : URL(fileURLWithPath: path) }
            guard URL(fileURLWithPath: next).deletingLastPathComponent().lastPathComponent != "blobs" else {
                return file
            }
            path = next
        }
        return file
    }

    /// Writes where an open file stands, as a redirection to it would.
    private init(_ target: URL, continuing open: Int32) throws(FileError) {
        self.target = target
        temporary = nil
        descriptor = dup(open)
        start = max(0, Int(lseek(open, 0, SEEK_CUR)))
        guard descriptor >= 0 else { throw failure("cannot be created") }
    }

    /// `temporary` must be on the same volume as `target`; it is removed unless the file is committed.
    package init(_ target: URL, through temporary: URL?, flags: Int32) throws(FileError) {
        self.target = target
        self.temporary = temporary
        descriptor = open((temporary ?? target).path, O_WRONLY | O_CLOEXEC | flags, 0o644)
        guard descriptor >= 0 else { throw failure("cannot be created") }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        if let temporary { unlink(temporary.path) }
    }

    /// Writes all bytes, at `offset` from the start, or after the preceding ones.
    /// - Throws: `cannotWrite` that names the reason, such as a full disk.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int? = nil) throws(FileError) {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count =
                if let offset {
                    pwrite(descriptor, base + done, bytes.count - done, off_t(start + offset + done))
                } else {
                    Foundation.write(descriptor, base + done, bytes.count - done)
                }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("cannot be written") }
            done += count
        }
    }

    /// Writes all bytes after the preceding ones.
    /// - Throws: `cannotWrite`.
    package func write(_ bytes: [UInt8]) throws(FileError) {
        let result = bytes.withUnsafeBytes { buffer in Result { () throws(FileError) in try write(buffer) } }
        try result.get()
    }

    /// Makes the bytes durable and renames the file, replacing any existing one.
    /// - Throws: `cannotWrite`.
    package func commit() throws(FileError) {
        // Pipes and some devices cannot be synced.
        guard fsync(descriptor) == 0 || temporary == nil else { throw failure("cannot be written") }
        if let temporary, rename(temporary.path, target.path) != 0 { throw failure("cannot be renamed into place") }
        close(descriptor)
        descriptor = -1
        if temporary != nil { FileSystem.sync(folder: target.deletingLastPathComponent()) }
    }

    /// Writes a small file atomically, creating its folder.
    /// - Throws: `cannotWrite`.
    package static func write(_ bytes: [UInt8], to target: URL) throws(FileError) {
        try FileSystem.createFolder(target.deletingLastPathComponent())
        let file = try OutputFile(target)
        try file.write(bytes)
        try file.commit()
    }

    private func failure(_ what: String) -> FileError {
        FileError(
            .cannotWrite, "\(what) (\(FileSystem.reason(errno)))", source: target.path,
            remedy: "check the free space and the permissions of the folder, or choose another place")
    }
}
