public import Files
public import Foundation
import Synchronization

/// Byte-level BPE: text is split into words, numbers and the like, and within each piece the bytes are merged in the order in
/// which the merges were learnt (Radford et al. 2019; Sennrich et al. 2016). GPT-2's two files, or a tokenizer.json of the
/// form of GPT-2, CodeGen, Llama-3 or Qwen2.
///
/// Text is only ever text: "<|endoftext|>" within it encodes to the ids of its characters, unless special tokens are asked for.
public final class BytePairTokenizer: Tokenizer {
    /// GPT-2's two files.
    public static let gpt2Kind = "gpt2"
    /// A tokenizer.json.
    public static let jsonKind = "hf"
    /// The file of a model folder that holds all of a tokenizer.
    public static let jsonName = "tokenizer.json"

    public let kind: String
    public let fingerprint: String
    public var endOfText: Int32? { model.endOfText }
    /// Whether decoding gives back the very bytes that were encoded: not where text is composed before it is split, or where
    /// tokens take the white space around them.
    public var isLossless: Bool { !model.composes && !model.stripsSpace }

    private let model: BytePairModel
    /// Where tokens that are looked for before splitting forbid a cut, by the bytes on its two sides; nil without such tokens.
    private let cuts: [Bool]?
    /// Writes the files as they were read, so that a model folder gets the very same.
    private let files: [(name: String, bytes: [UInt8])]
    private let pool = Mutex<[Pooled]>([])

    /// An encoder that is in the pool, and so with nobody.
    private struct Pooled: @unchecked Sendable { let encoder: PieceEncoder }

    /// Reads `vocab.json` and `merges.txt`, or `encoder.json` and `vocab.bpe`, in a folder.
    /// - Throws: `missingInput` when there is no such pair; `invalidData` when the files are not what they should be.
    public convenience init(folder: URL) throws(TextError) {
        try self.init(BytePairFiles(folder: folder))
    }

    /// Reads a `tokenizer.json`.
    /// - Parameter path: the file, or the folder that holds it.
    /// - Throws: `missingInput`; `invalidData` when it is broken or holds another kind of tokenizer, which it names.
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
        cuts =
            model.findsTokens
            ? zip(model.added.cuts(), model.addedComposed.cuts()).map { $0 && $1 } : nil
    }

    public var vocabularySize: Int { model.vocabulary.count }

    public func encode(utf8 bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) throws(TextError) {
        try encode(utf8: bytes, specials: false, into: &ids)
    }

    /// Appends the ids of a text to `ids`.
    /// - Parameter specials: whether the texts of special tokens become their ids, as for text that a program has put together.
    ///   Otherwise they are text like any other, as they must be in what somebody else has written.
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
    /// - Throws: as `encode(utf8:specials:into:)`.
    public func encode(utf8 bytes: [UInt8], specials: Bool) throws(TextError) -> [Int32] {
        var ids: [Int32] = []
        try bytes.withUnsafeBufferPointer { buffer throws(TextError) in
            try encode(utf8: buffer, specials: specials, into: &ids)
        }
        return ids
    }

    public func append(bytesOf id: Int32, to bytes: inout [UInt8]) throws(TextError) {
        let vocabulary = model.vocabulary
        guard id >= 0, Int(id) < vocabulary.count else { throw outOfRange(id) }
        let range = Int(vocabulary.offsets[Int(id)])..<Int(vocabulary.offsets[Int(id) + 1])
        // A slice of the buffer is appended as a block, a slice of the array a byte at a time.
        vocabulary.bytes.withUnsafeBufferPointer { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
    }

    public func safeCut(in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        guard cuts != nil || model.composes else { return model.splitting.cut(in: bytes) }
        return model.splitting.cut(in: bytes, ascii: model.composes) { before, after in
            cuts?[Int(before) << 8 | Int(after)] ?? true
        }
    }

    /// Writes the files that the tokenizer was read from.
    public func write(to folder: URL) throws(TextError) {
        for (name, bytes) in files { try OutputFile.write(bytes, to: folder.appendingPathComponent(name)) }
    }
}
