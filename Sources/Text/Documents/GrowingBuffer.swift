import Files
import Foundation

/// A file reader whose buffer grows to hold what must be contiguous, such as a row.
final class GrowingBuffer {
    /// Maximum row length, bytes.
    static let greatestLength = 1 << 30

    /// Whether the end of the file has been read.
    private(set) var isComplete = false
    /// Offset of ``content`` in the file.
    private(set) var consumed = 0
    let size: Int

    private let file: URL
    private let descriptor: Int32
    private var buffer: UnsafeMutableBufferPointer<UInt8>
    private var start = 0
    private var filled = 0

    /// - Throws: `missingInput`.
    init(_ file: URL, capacity: Int = 1 << 16) throws(TextError) {
        let (descriptor, information) = try FileSystem.openForReading(file)
        self.file = file
        self.descriptor = descriptor
        size = Int(information.st_size)
        buffer = .allocate(capacity: capacity)
    }

    deinit {
        close(descriptor)
        buffer.deallocate()
    }

    /// The bytes that have been read and not yet consumed.
    var content: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: buffer[start..<filled]) }

    func consume(_ count: Int) {
        start += count
        consumed += count
    }

    /// Reads more, growing the buffer if necessary. Invalidates ``content``.
    /// - Throws: `missingInput` if reading fails; `invalidData` beyond `greatestLength`.
    func fill() throws(TextError) {
        makeRoom()
        guard filled < buffer.count, let base = buffer.baseAddress else {
            throw TextError(
                .invalidData, "a row of more than \(Self.greatestLength) bytes", source: file.path,
                byteOffset: consumed, remedy: "divide it")
        }
        while true {
            let count = read(descriptor, base + filled, buffer.count - filled)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileSystem.unreadable(file) }
            filled += count
            isComplete = count == 0
            return
        }
    }

    private func makeRoom() {
        guard let base = buffer.baseAddress else { return }
        if start > 0 {
            base.update(from: base + start, count: filled - start)
            filled -= start
            start = 0
        } else if filled == buffer.count, buffer.count < Self.greatestLength {
            let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 2 * buffer.count)
            _ = larger.update(fromContentsOf: buffer)
            buffer.deallocate()
            buffer = larger
        }
    }

    /// Consumes `bytes` if they come next.
    func skip(_ bytes: [UInt8]) -> Bool {
        guard content.starts(with: bytes) else { return false }
        consume(bytes.count)
        return true
    }

    /// Consumes JSON white space.
    /// - Returns: the next byte; nil at the end of the file.
    func skipSpace() throws(TextError) -> UInt8? {
        while true {
            consume(content.prefix { $0 == 0x20 || (0x09...0x0A).contains($0) || $0 == 0x0D }.count)
            if let byte = content.first { return byte }
            if isComplete { return nil }
            try fill()
        }
    }

    /// The next line without its end, and its length including the end; nil at the end of the file.
    func line() throws(TextError) -> (content: UnsafeBufferPointer<UInt8>, length: Int)? {
        var searched = 0
        while true {
            let content = self.content
            if let end = content[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                return (UnsafeBufferPointer(rebasing: content[..<end]), end + 1)
            }
            if isComplete { return content.isEmpty ? nil : (content, content.count) }
            searched = content.count
            try fill()
        }
    }
}
