public import Files
public import Foundation

/// A tokenizer that also decodes padding ids, the ones after its own, to nothing.
///
/// Some models have more tokens than their tokenizer and may generate them. No text has such a token, so for data this is
/// the padded tokenizer itself.
public struct PaddedTokenizer: Tokenizer {
    private let base: any Tokenizer
    private let padding: Int

    /// - Parameter padding: number of additional ids.
    public init(_ base: any Tokenizer, padding: Int) {
        (self.base, self.padding) = (base, padding)
    }

    /// That of the padded tokenizer.
    public var kind: String { base.kind }
    /// The number of ids that text has, without padding.
    public var vocabularySize: Int { base.vocabularySize }
    /// That of the padded tokenizer, because texts have the same ids.
    public var fingerprint: String { base.fingerprint }
    /// That of the padded tokenizer.
    public var cacheKey: String { base.cacheKey }
    /// That of the padded tokenizer.
    public var endOfText: Int32? { base.endOfText }

    /// Appends the ids of a text.
    /// - Throws: like the padded tokenizer.
    public func encode(utf8 bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) throws(TextError) {
        try base.encode(utf8: bytes, into: &ids)
    }

    /// Appends the bytes of an id, none for padding.
    /// - Throws: `invalidData` for an id that is neither the tokenizer's nor padding.
    public func append(bytesOf id: Int32, to bytes: inout [UInt8]) throws(TextError) {
        let isPadding = (base.vocabularySize..<base.vocabularySize + padding).contains(Int(id))
        if !isPadding { try base.append(bytesOf: id, to: &bytes) }
    }

    /// That of the padded tokenizer.
    public func safeCut(in bytes: UnsafeBufferPointer<UInt8>) -> Int { base.safeCut(in: bytes) }

    /// Writes the files of the padded tokenizer; the model's `config.json` states the padding.
    /// - Throws: `cannotWrite`.
    public func write(to folder: URL) throws(TextError) { try base.write(to: folder) }
}
