import Files
import Foundation

/// A set of Unicode scalars, collected from text of any size in 136 KiB.
struct Alphabet {
    /// One bit per scalar.
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

    /// Adds the documents of a file, and the separators between them.
    /// - Throws: `missingInput`, or `invalidData` with the byte offset.
    mutating func insert(contentsOf file: URL) throws(TextError) {
        guard DocumentReader.form(of: file) != .tokens else {
            throw TextError(
                .invalidData, "a .bin file holds token ids, which have no alphabet", source: file.path,
                remedy: "give characters:FILE as the tokenizer, or the text")
        }
        let source = try DocumentReader.open(file)
        while let part = try source.next(cut: UTF8Bytes.lastBoundary) {
            do throws(TextError) {
                try insert(utf8: part.bytes)
            } catch {
                throw source.located(error)
            }
        }
        // A line end represents the end of a document.
        if source.marksEnds { words[0] |= 1 << 0x0A }
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
