import Files
import Foundation

/// A file through one buffer, without a byte order mark at its start and with line ends CR LF as LF.
///
/// Places are counted in what is handed out; ``fileOffset(of:)`` gives them in the file.
final class LineEndReader {
    /// Whether all of the file is in the buffer or was there.
    private(set) var isComplete = false
    private(set) var bytesRead = 0
    private(set) var byteOrderMark = false
    private(set) var carriageReturns = 0
    /// The place of the first byte of ``content``.
    private(set) var position = 0
    let size: Int

    private let file: URL
    private let descriptor: Int32
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private var start = 0
    private var filled = 0
    /// The last byte read was a carriage return, and the byte after it decides what it is.
    private var holdsReturn = false
    /// Places before which a carriage return was left out, ascending, as far as they may still be asked for.
    private var omissions: [Int] = []
    /// Bytes left out before those.
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

    /// What was read and not yet consumed.
    var content: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: buffer[start..<filled]) }
    /// Whether ``fill()`` can add anything.
    var hasRoom: Bool { !isComplete && (start > 0 || filled < buffer.count - 1) }

    func consume(_ count: Int) {
        start += count
        position += count
    }

    /// Reads until the buffer is full or the file ends. What ``content`` was is invalid.
    /// - Throws: `missingInput` when reading fails.
    func fill() throws(TextError) {
        guard let base = buffer.baseAddress else { return }
        base.update(from: base + start, count: filled - start)
        filled -= start
        start = 0
        let past = omissions.prefix { $0 <= position }.count
        omissions.removeFirst(past)
        omittedBefore += past
        // A byte is kept free for a carriage return that turns out to be text.
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

    /// The place in the file of a place not before the last ``content``.
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

    /// The first read of a regular file brings its first three bytes, unless it has fewer.
    private func leaveOutByteOrderMark() {
        guard filled >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF else { return }
        byteOrderMark = true
        start = 3
        omittedBefore += 3
        for index in omissions.indices { omissions[index] -= 3 }
    }
}
