public import Files
public import Foundation

/// A tokenizer with additional padding ids, which have no text and to which no text encodes.
///
/// Some models were trained on a vocabulary to which a token for padding had been added.
public struct PaddedTokenizer: Tokenizer {
    private let base: any Tokenizer
    /// Number of ids, including padding.
    public let vocabularySize: Int

    /// - Parameter padding: number of additional ids.
    public init(_ base: any Tokenizer, padding: Int) {
        self.base = base
        vocabularySize = base.vocabularySize + padding
    }

    /// That of the padded tokenizer.
    public var kind: String { base.kind }
    /// That of the padded tokenizer, because texts have the same ids.
    public var fingerprint: String { base.fingerprint }
    /// That of the padded tokenizer.
    public var endOfText: Int32? { base.endOfText }

    /// Appends the ids of a text, none of which is padding.
    /// - Throws: like the padded tokenizer.
    public func encode(utf8 bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) throws(TextError) {
        try base.encode(utf8: bytes, into: &ids)
    }

    /// Appends the bytes of an id, none for padding.
    /// - Throws: `invalidData` for an id outside 0..<`vocabularySize`.
    public func append(bytesOf id: Int32, to bytes: inout [UInt8]) throws(TextError) {
        guard id < base.vocabularySize else {
            guard id < vocabularySize else { throw outOfRange(id) }
            return
        }
        try base.append(bytesOf: id, to: &bytes)
    }

    /// That of the padded tokenizer.
    public func safeCut(in bytes: UnsafeBufferPointer<UInt8>) -> Int { base.safeCut(in: bytes) }

    /// Writes the files of the padded tokenizer; the number of ids is in the model's `config.json`.
    /// - Throws: `cannotWrite`.
    public func write(to folder: URL) throws(TextError) { try base.write(to: folder) }
}
