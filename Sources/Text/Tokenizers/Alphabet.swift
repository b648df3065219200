import Files
import Foundation

/// A set of Unicode scalars, gathered from text of any size in a constant 136 KiB.
struct Alphabet {
    /// One bit a scalar.
    private var words = [UInt64](repeating: 0, count: 0x110000 / 64)

    /// - Throws: `invalidData` with the byte offset for invalid UTF-8.
    mutating func insert(utf8 bytes: UnsafeBufferPointer<UInt8>) throws(TextError) {
        try UTF8Bytes.validate(bytes)
        guard let base = bytes.baseAddress else { return }
        var index = 0
        while index < bytes.count {
            let (value, length) = UTF8Bytes.scalar(at: index, in: base)
            words[Int(value >> 6)] |= 1 << UInt64(value & 63)
            index += length
        }
    }

    /// Reads a whole file, a chunk at a time.
    /// - Throws: `missingInput`, or `invalidData` with the byte offset.
    mutating func insert(contentsOf file: URL) throws(TextError) {
        let reader = try TextReader(file)
        while let chunk = try reader.next(cut: UTF8Bytes.lastBoundary) {
            do throws(TextError) {
                try insert(utf8: chunk.bytes)
            } catch {
                throw error.located(in: file.path, from: chunk.start)
            }
        }
    }

    /// The members in ascending order.
    var scalars: [UInt32] {
        var scalars: [UInt32] = []
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                scalars.append(UInt32(index * 64 + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
        return scalars
    }
}
