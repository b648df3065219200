package import Foundation

/// A regular file that is read in parts with `pread`.
///
/// Unlike a memory-mapped file, a file truncated while open causes an error and not a signal, and several threads may
/// read concurrently.
package final class RandomAccessFile: Sendable {
    /// Path, for messages.
    package let path: String
    /// Size in bytes when the file was opened.
    package let count: Int
    private let descriptor: Int32

    /// - Throws: `missingInput`.
    package init(_ file: URL) throws(FileError) {
        let (descriptor, information) = try FileSystem.openForReading(file)
        self.descriptor = descriptor
        count = Int(information.st_size)
        path = file.path
    }

    deinit { close(descriptor) }

    /// Fills `target` with the bytes starting at `offset`.
    ///
    /// - Throws: `invalidData` if the file has become shorter; `missingInput` if it cannot be read.
    package func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
        var done = 0
        while done < target.count, let base = target.baseAddress {
            let found = pread(descriptor, base + done, target.count - done, off_t(offset + done))
            if found < 0, errno == EINTR { continue }
            guard found >= 0 else { throw FileSystem.unreadable(URL(fileURLWithPath: path)) }
            guard found > 0 else {
                throw FileError(
                    .invalidData, "truncated while it was read (no byte \(offset + done) of \(count))", source: path,
                    remedy: "wait until it is complete, or download it again")
            }
            done += found
        }
    }

    /// The bytes of `range`, which must lie within ``count``.
    ///
    /// - Throws: `invalidData` if the range lies outside or the file has become shorter.
    package func bytes(_ range: Range<Int>) throws(FileError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw FileError(
                .invalidData, "bytes \(range) were expected, the file has \(count)", source: path,
                remedy: "it is damaged or truncated: download it again")
        }
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
            do throws(FileError) {
                try read(into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
                filled = range.count
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }
}
