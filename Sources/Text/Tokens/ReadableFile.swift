import Files
import Foundation

/// An open file that is read at any place, by any number of threads.
///
/// It is read and not mapped: a file that is cut short meanwhile is an error that names it, where a mapping would end the
/// process.
final class ReadableFile: Sendable {
    let path: String
    /// The size when it was opened, in bytes.
    let size: Int
    private let descriptor: Int32

    /// - Throws: `missingInput`; `invalidData` when the file is empty.
    init(_ file: URL) throws(TextError) {
        let (descriptor, information) = try FileSystem.openForReading(file)
        path = file.path
        size = Int(information.st_size)
        self.descriptor = descriptor
        guard size > 0 else {
            throw TextError(.invalidData, "empty file", source: path, remedy: "give a file with tokens")
        }
    }

    deinit { close(descriptor) }

    /// Fills `target` with the bytes from `offset` on.
    /// - Throws: `missingInput` when reading fails; `invalidData` when the file has become too short.
    func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(TextError) {
        var done = 0
        while done < target.count, let base = target.baseAddress {
            let count = pread(descriptor, base + done, target.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileSystem.unreadable(URL(fileURLWithPath: path)) }
            guard count > 0 else {
                throw TextError(
                    .invalidData, "cut short while it was in use: it had \(size) bytes", source: path,
                    byteOffset: offset + done, remedy: "build it again, and start again")
            }
            done += count
        }
    }

    /// The bytes from `offset` on, at most `count` of them.
    /// - Throws: as `read(at:into:)`.
    func bytes(at offset: Int, count: Int) throws(TextError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, min(count, size - offset)))
        try bytes.withUnsafeMutableBufferPointer { buffer throws(TextError) in
            try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return bytes
    }
}
