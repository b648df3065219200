import Files
import Foundation

/// The first 64 bytes of a token file, all numbers little-endian:
///
/// | bytes | what |
/// |---|---|
/// | 0..<8 | the letters `seddtokn` |
/// | 8..<12 | version, 1 |
/// | 12..<16 | bytes an id: 1, 2 or 4 |
/// | 16..<24 | number of ids |
/// | 24..<32 | vocabulary size |
/// | 32..<48 | the tokenizer's fingerprint, sixteen hexadecimal digits |
/// | 48..<64 | zero |
///
/// The ids follow, unsigned, little-endian, to the end of the file.
struct TokenFileHeader: Equatable {
    static let size = 64
    static let magic = Array("seddtokn".utf8)
    static let version = 1

    /// Bytes an id.
    var width: Int
    var count: Int
    var vocabularySize: Int
    var fingerprint: String

    /// The least width that holds every id of a vocabulary.
    static func width(forVocabularySize size: Int) -> Int { size <= 1 << 8 ? 1 : size <= 1 << 16 ? 2 : 4 }

    init(count: Int, vocabularySize: Int, fingerprint: String) {
        width = Self.width(forVocabularySize: vocabularySize)
        self.count = count
        self.vocabularySize = vocabularySize
        self.fingerprint = fingerprint
    }

    static func isPresent(in bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: magic) }

    /// Reads the header of a whole file, and compares it with the file's size.
    /// - Throws: `invalidData`.
    init(_ bytes: UnsafeRawBufferPointer, source: String) throws(TextError) {
        func failure(_ problem: String) -> TextError {
            TextError(.invalidData, problem, source: source, remedy: "delete it and build it again from the text")
        }
        guard Self.isPresent(in: bytes) else { throw failure("not a token file") }
        guard bytes.count >= Self.size else {
            throw failure("truncated token file: \(bytes.count) bytes, and the header alone has \(Self.size)")
        }
        func number(_ offset: Int, _ length: Int) -> UInt64 {
            bytes[offset..<(offset + length)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard number(8, 4) == Self.version else {
            throw failure("token file of version \(number(8, 4)); expected \(Self.version)")
        }
        width = Int(number(12, 4))
        guard [1, 2, 4].contains(width) else { throw failure("\(width) bytes an id; expected 1, 2 or 4") }
        guard let count = Int(exactly: number(16, 8)), let vocabularySize = Int(exactly: number(24, 8)),
            vocabularySize > 0, vocabularySize <= 1 << (8 * width), vocabularySize <= Int(Int32.max)
        else { throw failure("impossible counts in the header") }
        self.count = count
        self.vocabularySize = vocabularySize
        fingerprint = String(decoding: bytes[32..<48], as: UTF8.self)
        let body = bytes.count - Self.size
        guard body % width == 0, body / width == count else {
            throw failure("the header says \(count) ids of \(width) bytes, but \(body) bytes follow it")
        }
    }

    /// The 64 bytes.
    var bytes: [UInt8] {
        var bytes = Self.magic
        func append(_ number: Int, _ length: Int) {
            for index in 0..<length { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
        }
        append(Self.version, 4)
        append(width, 4)
        append(count, 8)
        append(vocabularySize, 8)
        bytes += fingerprint.utf8.prefix(16)
        return bytes + [UInt8](repeating: 0, count: Self.size - bytes.count)
    }
}
