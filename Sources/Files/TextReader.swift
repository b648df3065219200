package import Foundation

/// Reads a file sequentially through a buffer of fixed size, cut at positions that the caller accepts.
package final class TextReader {
    /// A part of the file; its bytes are valid until the next part is requested.
    package struct Chunk {
        /// The offset of the first byte in the file.
        package let start: Int
        /// The bytes.
        package let bytes: UnsafeBufferPointer<UInt8>
    }

    /// Buffer size; also the longest run without a cut.
    package static let defaultCapacity = 2 << 20

    /// The file.
    package let file: URL
    /// The size when the file was opened, in bytes.
    package let size: Int
    private let descriptor: Int32
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private var start = 0
    private var consumed = 0
    private var filled = 0
    private var ended = false

    /// - Throws: `missingInput` if the file is absent, unreadable or not a regular file.
    package init(_ file: URL, capacity: Int = defaultCapacity) throws(FileError) {
        let (descriptor, information) = try FileSystem.openForReading(file)
        self.file = file
        self.descriptor = descriptor
        size = Int(information.st_size)
        buffer = .allocate(capacity: max(capacity, 4))
    }

    deinit {
        close(descriptor)
        buffer.deallocate()
    }

    /// The next part, nil at the end of the file. `cut` returns the length of the prefix that may stand alone.
    /// - Throws: `missingInput` when reading fails; `invalidData` if a full buffer has no place to cut.
    package func next(cut: (UnsafeBufferPointer<UInt8>) -> Int) throws(FileError) -> Chunk? {
        carryRest()
        try fill()
        guard filled > 0 else { return nil }
        let bytes = UnsafeBufferPointer(rebasing: buffer[..<filled])
        consumed = ended ? filled : cut(bytes)
        if consumed == 0 {
            // Invalid UTF-8 is the likelier cause, and the more useful message.
            if let offset = UTF8Bytes.firstInvalid(in: bytes), offset < UTF8Bytes.lastBoundary(in: bytes) {
                throw UTF8Bytes.invalid(at: offset).located(in: file.path, from: start)
            }
            throw FileError(
                .invalidData,
                "\(filled) bytes without a place to cut (one unbroken run of letters, digits, "
                    + "symbols or spaces)", source: file.path, byteOffset: start,
                remedy: "break the run with line ends, or use the tokenizer 'byte'")
        }
        return Chunk(start: start, bytes: UnsafeBufferPointer(rebasing: bytes[..<consumed]))
    }

    private func carryRest() {
        guard consumed > 0, let base = buffer.baseAddress else { return }
        base.update(from: base + consumed, count: filled - consumed)
        start += consumed
        filled -= consumed
        consumed = 0
    }

    private func fill() throws(FileError) {
        guard let base = buffer.baseAddress else { return }
        while !ended, filled < buffer.count {
            let count = read(descriptor, base + filled, buffer.count - filled)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileSystem.unreadable(file) }
            if count == 0 { ended = true }
            filled += count
        }
    }
}
