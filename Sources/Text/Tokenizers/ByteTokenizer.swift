public import Files
public import Foundation

/// One token per byte: 256 ids, any text, no files.
public struct ByteTokenizer: Tokenizer {
    /// The kind in `config.json`.
    public static let kind = "byte"

    /// A fingerprint (16 hexadecimal digits) of kind and vocabulary.
    public let fingerprint: String

    /// Creates the tokenizer; all instances are equal.
    public init() {
        var fingerprint = Fingerprint()
        fingerprint.combine(Self.kind)
        self.fingerprint = fingerprint.text
    }

    /// `byte`.
    public var kind: String { Self.kind }
    /// 256.
    public var vocabularySize: Int { 256 }

    /// Appends the bytes themselves.
    /// - Throws: `invalidData` with the byte offset for invalid UTF-8.
    public func encode(utf8 bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) throws(TextError) {
        try UTF8Bytes.validate(bytes)
        ids.append(contentsOf: bytes.lazy.map(Int32.init))
    }

    /// Appends one byte.
    /// - Throws: `invalidData` for an id outside 0..<256.
    public func append(bytesOf id: Int32, to bytes: inout [UInt8]) throws(TextError) {
        guard let byte = UInt8(exactly: id) else { throw outOfRange(id) }
        bytes.append(byte)
    }

    /// The last character boundary, because every character is encoded by itself.
    public func safeCut(in bytes: UnsafeBufferPointer<UInt8>) -> Int { UTF8Bytes.lastBoundary(in: bytes) }

    /// Writes nothing: the kind is sufficient.
    public func write(to folder: URL) throws(TextError) {}
}
