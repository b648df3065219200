import Files
import Foundation

/// An open file for concurrent random access.
///
/// It is read and not mapped: truncation is then an error that names the file, whereas a mapping would terminate the
/// process.
final class ReadableFile: Sendable {
    let path: String
    /// Size in bytes when it was opened.
    let size: Int
    private let descriptor: Int32

    /// - Throws: `missingInput`; `invalidData` if the file is empty.
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

    /// Fills `target` with the bytes starting at `offset`.
    /// - Throws: `missingInput` if reading fails; `invalidData` if the file has become too short.
    func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(TextError) {
        var done = 0
        while done < target.count, let base = target.baseAddress {
            let count = pread(descriptor, base + done, target.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileSystem.unreadable(URL(fileURLWithPath: path)) }
            guard count > 0 else {
                throw TextError(
                    .invalidData, "cut short while it was in use: it had \(size) bytes", source: path,
                    byteOffset: offset + done, remedy: "rebuild it and restart")
            }
            done += count
        }
    }

    /// At most `count` bytes starting at `offset`.
    /// - Throws: like `read(at:into:)`.
    func bytes(at offset: Int, count: Int) throws(TextError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, min(count, size - offset)))
        try bytes.withUnsafeMutableBufferPointer { buffer throws(TextError) in
            try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return bytes
    }
}
