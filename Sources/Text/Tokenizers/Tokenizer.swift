public import Files
public import Foundation

/// Converts text to token ids and back without loss: decoding returns exactly the encoded bytes.
///
/// Conforming types are immutable or synchronize their caches: any number of threads may encode concurrently.
public protocol Tokenizer: Sendable {
    /// The kind of tokenizer in a model folder's `config.json`.
    var kind: String { get }
    /// n, the number of ids; every id is in 0..<n.
    var vocabularySize: Int { get }
    /// A fingerprint (16 hexadecimal digits) of kind and vocabulary, equal for tokenizers that produce equal ids.
    var fingerprint: String { get }
    /// The id that separates documents, if the vocabulary has one. Text never encodes to it.
    var endOfText: Int32? { get }

    /// Appends the ids of a text to `ids`.
    /// - Parameter bytes: the text in UTF-8.
    /// - Throws: `invalidData` with the byte offset for invalid UTF-8 or a character outside the vocabulary; `ids` is
    ///   then unchanged.
    func encode(utf8 bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) throws(TextError)

    /// Appends the bytes of an id, which need not form whole characters.
    /// - Throws: `invalidData` for an id outside 0..<`vocabularySize`.
    func append(bytesOf id: Int32, to bytes: inout [UInt8]) throws(TextError)

    /// Length of the longest prefix whose ids, followed by the ids of the rest, are the ids of the whole, whatever
    /// follows the given bytes; 0 if there is none.
    ///
    /// The bytes may end within a character.
    func safeCut(in bytes: UnsafeBufferPointer<UInt8>) -> Int

    /// Names cached tokens: different for tokenizers that give different ids.
    var cacheKey: String { get }

    /// Writes the files from which `Tokenizers.load` creates an equal tokenizer, if any are needed.
    /// - Throws: `cannotWrite`.
    func write(to folder: URL) throws(TextError)
}

extension Tokenizer {
    /// None.
    public var endOfText: Int32? { nil }
    /// The fingerprint.
    public var cacheKey: String { fingerprint }

    /// The ids of a text.
    /// - Throws: `invalidData` for a character outside the vocabulary.
    public func encode(_ text: String) throws(TextError) -> [Int32] {
        try encode(utf8: Array(text.utf8))
    }

    /// The ids of a text given as UTF-8.
    /// - Throws: `invalidData` with the byte offset for invalid UTF-8 or a character outside the vocabulary.
    public func encode(utf8 bytes: [UInt8]) throws(TextError) -> [Int32] {
        var ids: [Int32] = []
        try bytes.withUnsafeBufferPointer { buffer throws(TextError) in try encode(utf8: buffer, into: &ids) }
        return ids
    }

    /// The exact bytes of the ids.
    /// - Throws: `invalidData` for an id outside 0..<`vocabularySize`.
    @inlinable
    public func decode(_ ids: some Sequence<Int32>) throws(TextError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(ids.underestimatedCount * 4)
        for id in ids { try append(bytesOf: id, to: &bytes) }
        return bytes
    }

    /// The text of the ids. Invalid UTF-8, which a model may generate, becomes U+FFFD.
    /// - Throws: `invalidData` for an id outside 0..<`vocabularySize`.
    public func text(of ids: some Sequence<Int32>) throws(TextError) -> String {
        String(decoding: try decode(ids), as: UTF8.self)
    }

    /// The tokens of a sample that form its text: those before the first end of text.
    ///
    /// An end of text at the very start terminates the preceding text, which is not part of the sample: it is skipped.
    public func sampled<IDs: BidirectionalCollection<Int32>>(_ ids: IDs) -> IDs.SubSequence {
        guard let endOfText else { return ids[...] }
        let text = ids.first == endOfText ? ids.dropFirst() : ids[...]
        return text.prefix { $0 != endOfText }
    }

    /// The text of a sample, up to its first end of text.
    /// - Throws: `invalidData` for an id outside 0..<`vocabularySize`.
    public func text(ofSample ids: some BidirectionalCollection<Int32>) throws(TextError) -> String {
        try text(of: sampled(ids))
    }

    /// The bytes of one token, to show states in which some positions are not settled.
    /// - Throws: `invalidData` for an id outside 0..<`vocabularySize`.
    public func bytes(of id: Int32) throws(TextError) -> [UInt8] {
        var bytes: [UInt8] = []
        try append(bytesOf: id, to: &bytes)
        return bytes
    }

    func outOfRange(_ id: Int32) -> TextError {
        TextError(
            .invalidData, "token id \(id) is not in 0..<\(vocabularySize)",
            remedy: "use the tokenizer that produced the ids")
    }
}
