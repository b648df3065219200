public import Files
public import Foundation

/// One token per Unicode scalar, over the sorted alphabet of a given text.
public struct CharacterTokenizer: Tokenizer {
    /// The kind in `config.json`.
    public static let kind = "characters"
    /// The file of a model folder that holds the alphabet, in id order.
    public static let fileName = "characters.txt"

    /// A fingerprint (16 hexadecimal digits) of kind and vocabulary.
    public let fingerprint: String
    /// The alphabet, in id order.
    public var alphabet: [Unicode.Scalar] { scalars.compactMap(Unicode.Scalar.init) }

    private let scalars: [UInt32]
    /// Two-level lookup from scalar to id: `pages[scalar >> 8]` selects a page of 256 `entries`; page 0 is empty.
    private let pages: [UInt16]
    private let entries: [Int32]

    /// Creates a tokenizer for the scalars of a text.
    /// - Throws: `invalidData` if the text is empty.
    public init(alphabetOf text: String) throws(TextError) {
        var alphabet = Alphabet()
        try Array(text.utf8).withUnsafeBufferPointer { bytes throws(TextError) in try alphabet.insert(utf8: bytes) }
        try self.init(alphabet, of: "the alphabet")
    }

    /// Creates a tokenizer for the scalars of a file's documents, in bounded memory.
    /// - Throws: `missingInput`; `invalidData` if the file is empty, not UTF-8, or holds token ids.
    public init(alphabetOf file: URL) throws(TextError) {
        try self.init(alphabetOf: [file])
    }

    /// Creates a tokenizer for the scalars of all the files' documents.
    public init(alphabetOf files: [URL]) throws(TextError) {
        var alphabet = Alphabet()
        for file in files { try alphabet.insert(contentsOf: file) }
        try self.init(alphabet, of: files.first?.path ?? "the alphabet")
    }

    private init(_ alphabet: Alphabet, of source: String) throws(TextError) {
        scalars = alphabet.scalars
        guard !scalars.isEmpty else {
            throw TextError(
                .invalidData, "empty text", source: source, remedy: "give a text that contains every character")
        }
        var pages = [UInt16](repeating: 0, count: 0x110000 >> 8)
        var entries = [Int32](repeating: -1, count: 256)
        var fingerprint = Fingerprint()
        fingerprint.combine(Self.kind)
        for (id, scalar) in scalars.enumerated() {
            if pages[Int(scalar >> 8)] == 0 {
                pages[Int(scalar >> 8)] = UInt16(entries.count >> 8)
                entries.append(contentsOf: repeatElement(-1, count: 256))
            }
            entries[Int(pages[Int(scalar >> 8)]) << 8 + Int(scalar & 0xFF)] = Int32(id)
            fingerprint.combine(Int(scalar))
        }
        self.pages = pages
        self.entries = entries
        self.fingerprint = fingerprint.text
    }

    /// `characters`.
    public var kind: String { Self.kind }
    /// Number of scalars of the alphabet.
    public var vocabularySize: Int { scalars.count }

    /// Appends one id per scalar.
    /// - Throws: `invalidData` with the byte offset for invalid UTF-8 or a character outside the alphabet; `ids` is
    ///   then unchanged.
    public func encode(utf8 bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) throws(TextError) {
        try UTF8Bytes.validate(bytes)
        guard let base = bytes.baseAddress else { return }
        let before = ids.count
        var index = 0
        while index < bytes.count {
            let (value, length) = UTF8Bytes.scalar(at: index, in: base)
            let id = entries[Int(pages[Int(value >> 8)]) << 8 + Int(value & 0xFF)]
            guard id >= 0 else {
                ids.removeSubrange(before...)
                throw TextError(
                    .invalidData, "character \(UTF8Bytes.name(of: value)) is not in the alphabet",
                    byteOffset: index,
                    remedy:
                        "build the alphabet from a text that contains it, or use the tokenizer 'byte' or BPE, which encode any text"
                )
            }
            ids.append(id)
            index += length
        }
    }

    /// Appends the scalar in UTF-8.
    /// - Throws: `invalidData` for an id outside 0..<`vocabularySize`.
    public func append(bytesOf id: Int32, to bytes: inout [UInt8]) throws(TextError) {
        guard scalars.indices.contains(Int(id)), let scalar = Unicode.Scalar(scalars[Int(id)]) else {
            throw outOfRange(id)
        }
        bytes.append(contentsOf: UTF8.encode(scalar) ?? .init())
    }

    /// The last character boundary, because every character is encoded by itself.
    public func safeCut(in bytes: UnsafeBufferPointer<UInt8>) -> Int { UTF8Bytes.lastBoundary(in: bytes) }

    /// Writes `characters.txt`.
    public func write(to folder: URL) throws(TextError) {
        let bytes = try decode(0..<Int32(vocabularySize))
        try OutputFile.write(bytes, to: folder.appendingPathComponent(Self.fileName))
    }
}
