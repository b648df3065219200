import Files
import Foundation

/// The header of a token file; all numbers are little-endian:
///
/// | bytes | what |
/// |---|---|
/// | 0..<8 | the letters `seddtokn` |
/// | 8..<12 | version, 2 |
/// | 12..<16 | bytes per id: 1, 2 or 4 |
/// | 16..<24 | number of ids |
/// | 24..<32 | vocabulary size |
/// | 32..<48 | the tokenizer's fingerprint, sixteen hexadecimal digits |
/// | 48..<56 | number of documents |
/// | 56..<64 | 1 if the text began with a byte order mark, which was removed |
/// | 64..<72 | number of carriage returns removed |
/// | 72..<80 | number of rows in which an unpaired surrogate became U+FFFD |
/// | 80..<88 | number of empty rows skipped |
/// | 88..<128 | zero |
///
/// The ids follow, unsigned and little-endian, then, to the end of the file, the positions of the documents' first ids
/// in eight bytes each, ascending. A version 1 file has a 64-byte header, zero from byte 48 on, and no documents.
struct TokenFileHeader: Equatable {
    static let magic = Array("seddtokn".utf8)
    static let version = 2
    /// Size of a version 2 header, bytes.
    static let size = 128

    /// Size of this header, bytes.
    private(set) var headerSize = size
    /// Bytes per id.
    let width: Int
    var count: Int
    let vocabularySize: Int
    let fingerprint: String
    /// Number of recorded documents.
    var documents: Int
    /// What was omitted from or replaced in the text.
    var notes: TextNotes

    /// The smallest width that holds every id of a vocabulary.
    static func width(forVocabularySize size: Int) -> Int { size <= 1 << 8 ? 1 : size <= 1 << 16 ? 2 : 4 }

    init(count: Int, vocabularySize: Int, fingerprint: String, documents: Int = 0, notes: TextNotes = TextNotes()) {
        width = Self.width(forVocabularySize: vocabularySize)
        self.count = count
        self.vocabularySize = vocabularySize
        self.fingerprint = fingerprint
        self.documents = documents
        self.notes = notes
    }

    static func isPresent(in bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: magic) }

    /// Parses the header of a file, and checks it against the file's size.
    /// - Parameters:
    ///   - bytes: the first 128 bytes, or all if there are fewer.
    ///   - fileSize: size of the file, bytes.
    /// - Throws: `invalidData`.
    init(_ bytes: [UInt8], fileSize: Int, source: String) throws(TextError) {
        func failure(_ problem: String) -> TextError {
            TextError(.invalidData, problem, source: source, remedy: "delete it and build it again from the text")
        }
        guard Self.isPresent(in: bytes) else { throw failure("not a token file") }
        func number(_ offset: Int, _ length: Int) -> UInt64 {
            bytes[offset..<(offset + length)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard bytes.count >= 64 else {
            throw failure("truncated token file: \(bytes.count) bytes, and the header alone has at least 64")
        }
        let version = number(8, 4)
        guard version == 1 || version == Self.version else {
            throw failure("token file of version \(version); expected \(Self.version)")
        }
        headerSize = version == 1 ? 64 : Self.size
        guard bytes.count >= headerSize else {
            throw failure("truncated token file: \(bytes.count) bytes, and the header alone has \(headerSize)")
        }
        width = Int(number(12, 4))
        guard [1, 2, 4].contains(width) else { throw failure("\(width) bytes per id; expected 1, 2 or 4") }
        guard let count = Int(exactly: number(16, 8)), let vocabularySize = Int(exactly: number(24, 8)),
            vocabularySize > 0, vocabularySize <= 1 << (8 * width), vocabularySize <= Int(Int32.max),
            let documents = Int(exactly: version == 1 ? 0 : number(48, 8)), documents <= count
        else { throw failure("impossible counts in the header") }
        self.count = count
        self.vocabularySize = vocabularySize
        self.documents = documents
        fingerprint = String(decoding: bytes[32..<48], as: UTF8.self)
        notes = TextNotes()
        if version == Self.version {
            func counted(_ offset: Int) -> Int { Int(clamping: number(offset, 8)) }
            notes = TextNotes(
                byteOrderMark: number(56, 8) != 0, carriageReturns: counted(64), surrogates: counted(72),
                emptyRows: counted(80))
        }
        let body = fileSize - headerSize
        let (ids, idsOverflow) = count.multipliedReportingOverflow(by: width)
        let (table, tableOverflow) = documents.multipliedReportingOverflow(by: 8)
        let (whole, wholeOverflow) = ids.addingReportingOverflow(table)
        guard !idsOverflow, !tableOverflow, !wholeOverflow, whole == body else {
            throw failure(
                "the header says \(count) ids of \(width) bytes and \(documents) documents of 8, but \(body) bytes "
                    + "follow it")
        }
    }

    /// Byte offset of the document table.
    var tableOffset: Int { headerSize + count * width }

    /// The 128 bytes of a version 2 header.
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
        append(documents, 8)
        append(notes.byteOrderMark ? 1 : 0, 8)
        append(notes.carriageReturns, 8)
        append(notes.surrogates, 8)
        append(notes.emptyRows, 8)
        return bytes + [UInt8](repeating: 0, count: Self.size - bytes.count)
    }
}
