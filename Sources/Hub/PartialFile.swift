import Files
import Foundation
import NIOCore

/// A partially downloaded file.
struct PartialFile {
    private let url: URL
    private let output: Descriptor
    private(set) var count: Int
    /// Whether an earlier attempt left part of it.
    private(set) var hasResumed: Bool

    /// - Throws: `cannotWrite`.
    init(_ url: URL, resumes: Bool) throws(FileError) {
        self.url = url
        let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC | (resumes ? 0 : O_EXCL), 0o666)
        guard descriptor >= 0 else { throw Self.failure(url, "cannot be created") }
        output = Descriptor(descriptor)
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw FileError(.cannotWrite, "not a regular file", source: url.path, remedy: "remove it")
        }
        count = Int(information.st_size)
        hasResumed = count > 0
    }

    mutating func append(_ buffer: ByteBuffer) throws(FileError) {
        let result = buffer.withUnsafeReadableBytes { bytes in
            Result { () throws(FileError) in
                var done = 0
                while done < bytes.count, let base = bytes.baseAddress {
                    let written = pwrite(output.value, base + done, bytes.count - done, off_t(count + done))
                    if written < 0, errno == EINTR { continue }
                    guard written > 0 else { throw Self.failure(url, "cannot be written") }
                    done += written
                }
            }
        }
        try result.get()
        count += buffer.readableBytes
    }

    /// Discards the contents and starts over.
    mutating func restart() throws(FileError) {
        guard ftruncate(output.value, 0) == 0 else { throw Self.failure(url, "cannot be emptied") }
        count = 0
        hasResumed = false
    }

    /// The checksum of the current contents; nil if the file's ETag is not a checksum.
    func hash(_ file: RemoteFile) throws(FileError) -> ContentHash? {
        guard var hash = ContentHash(etag: file.etag, size: file.size) else { return nil }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var place = 0
        while place < count {
            let found = pread(output.value, buffer.baseAddress, min(buffer.count, count - place), off_t(place))
            if found < 0, errno == EINTR { continue }
            guard found > 0 else { throw Self.failure(url, "cannot be read back") }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<found]))
            place += found
        }
        return hash
    }

    /// Makes the bytes durable and renames the file.
    func commit(as target: URL) throws(FileError) {
        guard fsync(output.value) == 0 else { throw Self.failure(url, "cannot be written") }
        guard rename(url.path, target.path) == 0 else { throw Self.failure(url, "cannot be renamed into place") }
        FileSystem.sync(folder: target.deletingLastPathComponent())
    }

    func remove() { unlink(url.path) }

    private static func failure(_ url: URL, _ what: String) -> FileError {
        FileError(
            .cannotWrite, "\(what) (\(FileSystem.reason(errno)))", source: url.path,
            remedy: "check the free space and the permissions of the cache, or set HF_HUB_CACHE to another folder")
    }

    private final class Descriptor: Sendable {
        let value: Int32
        init(_ value: Int32) { self.value = value }
        deinit { close(value) }
    }
}
