public import Files
public import Foundation

/// Turns text into token ids and back, without loss: decoding what was encoded gives the very bytes.
///
/// Conforming types are immutable values or lock what they cache: any number of threads may encode at once.
public protocol Tokenizer: Sendable {
    /// The name that a model folder's `config.json` gives this kind of tokenizer.
    var kind: String { get }
    /// The number of ids n; every id lies in 0..<n.
    var vocabularySize: Int { get }
    /// Sixteen hexadecimal digits over kind and vocabulary, equal for tokenizers that give equal ids.
    var fingerprint: String { get }
    /// The id that separates documents, where the vocabulary has one. Text never encodes to it.
    var endOfText: Int32? { get }

    /// Appends the ids of a text to `ids`.
    /// - Parameter bytes: the text in UTF-8.
    /// - Throws: `invalidData` with the byte offset for invalid UTF-8 or a character outside the vocabulary;
    ///   `ids` then holds what it held before.
    func encode(utf8 bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) throws(TextError)

    /// Appends the bytes that one id stands for; they need not be whole characters.
    /// - Throws: `invalidData` naming an id outside 0..<`vocabularySize`.
    func append(bytesOf id: Int32, to bytes: inout [UInt8]) throws(TextError)

    /// The greatest length of a prefix whose ids, followed by the ids of the rest, are the ids of the whole,
    /// whatever follows the given bytes; 0 where no such place is in sight.
    ///
    /// The bytes may end within a character.
    func safeCut(in bytes: UnsafeBufferPointer<UInt8>) -> Int

    /// Writes the files from which `Tokenizers.load` makes an equal tokenizer, if it needs any.
    /// - Throws: `cannotWrite`.
    func write(to folder: URL) throws(TextError)
}

extension Tokenizer {
    public var endOfText: Int32? { nil }

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

    /// The bytes that the ids stand for, exactly.
    /// - Throws: `invalidData` naming an id outside 0..<`vocabularySize`.
    @inlinable
    public func decode(_ ids: some Sequence<Int32>) throws(TextError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(ids.underestimatedCount * 4)
        for id in ids { try append(bytesOf: id, to: &bytes) }
        return bytes
    }

    /// The text that the ids stand for. Where their bytes are no UTF-8 (a model may write any), U+FFFD stands instead.
    /// - Throws: `invalidData` naming an id outside 0..<`vocabularySize`.
    public func text(of ids: some Sequence<Int32>) throws(TextError) -> String {
        String(decoding: try decode(ids), as: UTF8.self)
    }

    /// The tokens of a sample that are its text: those before the first end of text.
    ///
    /// An end of text at the very start ends the text before, which is not in the sample: it is left out and the text begins
    /// after it.
    public func sampled<IDs: BidirectionalCollection<Int32>>(_ ids: IDs) -> IDs.SubSequence {
        guard let endOfText else { return ids[...] }
        let text = ids.first == endOfText ? ids.dropFirst() : ids[...]
        return text.prefix { $0 != endOfText }
    }

    /// The text of a sample: what stands before its first end of text.
    /// - Throws: `invalidData` naming an id outside 0..<`vocabularySize`.
    public func text(ofSample ids: some BidirectionalCollection<Int32>) throws(TextError) -> String {
        try text(of: sampled(ids))
    }

    /// The bytes of one token, for showing a state in which some positions are still unsettled.
    /// - Throws: `invalidData` naming an id outside 0..<`vocabularySize`.
    public func bytes(of id: Int32) throws(TextError) -> [UInt8] {
        var bytes: [UInt8] = []
        try append(bytesOf: id, to: &bytes)
        return bytes
    }

    func outOfRange(_ id: Int32) -> TextError {
        TextError(
            .invalidData, "token id \(id) is not in 0..<\(vocabularySize)",
            remedy: "use the tokenizer that made the ids")
    }
}
