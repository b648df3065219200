import Files
import Foundation

/// A file reader that removes a byte order mark and turns CR LF into LF.
///
/// Positions refer to the output; ``fileOffset(of:)`` converts them to file offsets.
final class LineEndReader {
    /// Whether the end of the file has been read.
    private(set) var isComplete = false
    private(set) var bytesRead = 0
    private(set) var byteOrderMark = false
    private(set) var carriageReturns = 0
    /// Position of the first byte of ``content``.
    private(set) var position = 0
    let size: Int

    private let file: URL
    private let descriptor: Int32
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private var start = 0
    private var filled = 0
    /// Whether the last byte read was a carriage return, whose meaning depends on the next byte.
    private var holdsReturn = false
    /// Positions before which a carriage return was removed, ascending, as far as they may still be needed.
    private var omissions: [Int] = []
    /// Number of bytes removed before those.
    private var omittedBefore = 0

    /// - Throws: `missingInput`.
    init(_ file: URL, capacity: Int) throws(TextError) {
        let (descriptor, information) = try FileSystem.openForReading(file)
        self.file = file
        self.descriptor = descriptor
        size = Int(information.st_size)
        buffer = .allocate(capacity: max(capacity, 64))
    }

    deinit {
        close(descriptor)
        buffer.deallocate()
    }

    /// The bytes that have been read and not yet consumed.
    var content: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: buffer[start..<filled]) }
    /// Whether ``fill()`` can add anything.
    var hasRoom: Bool { !isComplete && (start > 0 || filled < buffer.count - 1) }

    func consume(_ count: Int) {
        start += count
        position += count
    }

    /// Reads until the buffer is full or the file ends. Invalidates ``content``.
    /// - Throws: `missingInput` when reading fails.
    func fill() throws(TextError) {
        guard let base = buffer.baseAddress else { return }
        base.update(from: base + start, count: filled - start)
        filled -= start
        start = 0
        let past = omissions.prefix { $0 <= position }.count
        omissions.removeFirst(past)
        omittedBefore += past
        // One byte is reserved for a carriage return that turns out to be text.
        while !isComplete, filled < buffer.count - 1 {
            let place = holdsReturn ? filled + 1 : filled
            let count = read(descriptor, base + place, buffer.count - place)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileSystem.unreadable(file) }
            if holdsReturn {
                base[filled] = UInt8(ascii: "\r")
                holdsReturn = false
            }
            isComplete = count == 0
            let from = filled
            filled = place + count
            leaveOutReturns(from: from)
            if bytesRead == 0 { leaveOutByteOrderMark() }
            bytesRead += count
        }
    }

    /// The file offset of a position at or after the last ``content``.
    func fileOffset(of place: Int) -> Int {
        place + omittedBefore + omissions.prefix { $0 <= place }.count
    }

    private func leaveOutReturns(from: Int) {
        guard let base = buffer.baseAddress, let first = memchr(base + from, 0x0D, filled - from) else { return }
        var read = base.distance(to: first.assumingMemoryBound(to: UInt8.self))
        var write = read
        while read < filled {
            if base[read] == 0x0D {
                if read + 1 == filled, !isComplete {
                    holdsReturn = true
                    break
                }
                if read + 1 < filled, base[read + 1] == 0x0A {
                    carriageReturns += 1
                    omissions.append(position + write - start)
                    read += 1
                    continue
                }
            }
            base[write] = base[read]
            read += 1
            write += 1
        }
        filled = write
    }

    /// The first read of a regular file returns at least three bytes, unless the file is shorter.
    private func leaveOutByteOrderMark() {
        guard filled >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF else { return }
        byteOrderMark = true
        start = 3
        omittedBefore += 3
        for index in omissions.indices { omissions[index] -= 3 }
    }
}
