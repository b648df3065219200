public import Files
public import Foundation
import Synchronization

/// Byte-level BPE: text is split into words, numbers and so on, and the bytes of each piece are merged in the order in
/// which the merges were learned (Radford et al. 2019; Sennrich et al. 2016). Reads GPT-2's two files, or a
/// tokenizer.json of the type of GPT-2, CodeGen, Llama-3 or Qwen2.
///
/// Text is treated literally: "<|endoftext|>" encodes to the ids of its characters, unless special tokens are
/// requested.
public final class BytePairTokenizer: Tokenizer {
    /// The kind of GPT-2's two files.
    public static let gpt2Kind = "gpt2"
    /// The kind of a tokenizer.json.
    public static let jsonKind = "hf"
    /// The file of a model folder that contains a complete tokenizer.
    public static let jsonName = "tokenizer.json"

    /// The kind of tokenizer in `config.json`.
    public let kind: String
    /// A fingerprint (16 hexadecimal digits) of kind and vocabulary.
    public let fingerprint: String
    /// The fingerprint and the merges, which it does not tell apart if their results are equal.
    public let cacheKey: String
    /// The id of `<|endoftext|>` or its counterpart, if the vocabulary has one.
    public var endOfText: Int32? { model.endOfText }
    /// Whether decoding returns exactly the encoded bytes: not if text is normalized before it is split, or if tokens
    /// absorb adjacent white space.
    public var isLossless: Bool { !model.composes && !model.stripsSpace }

    private let model: BytePairModel
    /// Cuts forbidden by tokens matched before splitting, by the bytes on both sides; nil without such tokens.
    private let cuts: [Bool]?
    /// Writes the files exactly as they were read.
    private let files: [(name: String, bytes: [UInt8])]
    private let pool = Mutex<[Pooled]>([])

    /// An idle encoder in the pool.
    private struct Pooled: @unchecked Sendable { let encoder: PieceEncoder }

    /// Reads `vocab.json` and `merges.txt`, or `encoder.json` and `vocab.bpe`, from a folder.
    /// - Throws: `missingInput` if there is no such pair; `invalidData` if the files are malformed.
    public convenience init(folder: URL) throws(TextError) {
        try self.init(BytePairFiles(folder: folder))
    }

    /// Reads a `tokenizer.json`.
    /// - Parameter path: the file, or its folder.
    /// - Throws: `missingInput`; `invalidData` if it is malformed or contains another kind of tokenizer, which the
    ///   error names.
    public convenience init(json path: URL) throws(TextError) {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder)
        let file = exists && isFolder.boolValue ? path.appendingPathComponent(Self.jsonName) : path
        try self.init(json: FileSystem.contents(of: file), source: file.path)
    }

    convenience init(json bytes: [UInt8], source: String = jsonName) throws(TextError) {
        try self.init(
            TokenizerJSON.model(bytes, source: source), kind: Self.jsonKind, files: [(Self.jsonName, bytes)])
    }

    convenience init(_ files: BytePairFiles) throws(TextError) {
        try self.init(files.model(), kind: Self.gpt2Kind, files: files.written)
    }

    private init(_ model: BytePairModel, kind: String, files: [(name: String, bytes: [UInt8])]) throws(TextError) {
        self.model = model
        self.kind = kind
        self.files = files
        fingerprint = model.fingerprint
        cacheKey = "\(fingerprint)-\(model.mergesHash)"
        cuts =
            model.findsTokens
            ? zip(model.added.cuts(), model.addedComposed.cuts()).map { $0 && $1 } : nil
    }

    /// Number of ids, including added tokens.
    public var vocabularySize: Int { model.vocabulary.count }

    /// Appends the ids of a text in which special tokens are ordinary text.
    /// - Throws: like ``encode(utf8:specials:into:)``.
    public func encode(utf8 bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) throws(TextError) {
        try encode(utf8: bytes, specials: false, into: &ids)
    }

    /// Appends the ids of a text to `ids`.
    /// - Parameter specials: whether special tokens in the text become their ids, as for text assembled by a program.
    ///   Otherwise they are ordinary text, as they must be in text from others.
    /// - Throws: `invalidData` with the byte offset for invalid UTF-8; `usage` for more than 2 GiB in one call.
    public func encode(
        utf8 bytes: UnsafeBufferPointer<UInt8>, specials: Bool, into ids: inout [Int32]
    ) throws(TextError) {
        try UTF8Bytes.validate(bytes)
        guard !bytes.isEmpty else { return }
        guard bytes.count <= LongPiece.greatestLength else {
            throw TextError(
                .usage, "\(bytes.count) bytes in one call", remedy: "cut the text where safeCut(in:) says")
        }
        let encoder = pool.withLock { $0.popLast() } ?? Pooled(encoder: PieceEncoder())
        defer { pool.withLock { $0.append(encoder) } }
        model.encode(bytes, specials: specials, with: encoder.encoder, into: &ids)
    }

    /// The ids of a text given as UTF-8.
    /// - Throws: like `encode(utf8:specials:into:)`.
    public func encode(utf8 bytes: [UInt8], specials: Bool) throws(TextError) -> [Int32] {
        var ids: [Int32] = []
        try bytes.withUnsafeBufferPointer { buffer throws(TextError) in
            try encode(utf8: buffer, specials: specials, into: &ids)
        }
        return ids
    }

    /// Appends the bytes of a token, which need not form whole characters.
    /// - Throws: `invalidData` for an id outside 0..<`vocabularySize`.
    public func append(bytesOf id: Int32, to bytes: inout [UInt8]) throws(TextError) {
        let vocabulary = model.vocabulary
        guard id >= 0, Int(id) < vocabulary.count else { throw outOfRange(id) }
        let range = Int(vocabulary.offsets[Int(id)])..<Int(vocabulary.offsets[Int(id) + 1])
        // Appending a slice of the buffer copies a block; a slice of the array would copy bytewise.
        vocabulary.bytes.withUnsafeBufferPointer { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// Length of the longest prefix whose pieces do not depend on what follows; 0 if there is none.
    public func safeCut(in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        guard cuts != nil || model.composes else { return model.splitting.cut(in: bytes) }
        return model.splitting.cut(in: bytes, ascii: model.composes) { before, after in
            cuts?[Int(before) << 8 | Int(after)] ?? true
        }
    }

    /// Writes the files from which the tokenizer was read.
    public func write(to folder: URL) throws(TextError) {
        for (name, bytes) in files { try OutputFile.write(bytes, to: folder.appendingPathComponent(name)) }
    }
}
