public import Files
public import Foundation
import Synchronization

/// GPT-2's tokenizer: text is split into words, numbers and the like, and within each piece the bytes are merged in
/// the order in which the merges were learnt (Radford et al. 2019; Sennrich et al. 2016).
///
/// Text is only ever text: "<|endoftext|>" within it encodes to the ids of its characters.
public final class BytePairTokenizer: Tokenizer {
    public static let kind = "gpt2"

    public let fingerprint: String
    public let endOfText: Int32?

    private let vocabulary: Vocabulary
    private let merges: MergeTable
    private let byteIds: [Int32]
    /// The files as they were read, so that a model folder gets the very same.
    private let files: BytePairFiles
    private let pool = Mutex<[Pooled]>([])

    /// An encoder that is in the pool, and so with nobody.
    private struct Pooled: @unchecked Sendable { let encoder: PieceEncoder }

    /// Reads `vocab.json` and `merges.txt`, or `encoder.json` and `vocab.bpe`, in a folder.
    /// - Throws: `missingInput` when there is no such pair; `invalidData` when the files are not what they should be.
    public convenience init(folder: URL) throws(TextError) {
        try self.init(BytePairFiles(folder: folder))
    }

    init(_ files: BytePairFiles) throws(TextError) {
        self.files = files
        vocabulary = try Vocabulary(json: files.vocabulary, source: files.vocabularyName)
        let index = try VocabularyIndex(vocabulary, source: files.vocabularyName)
        merges = try MergeParser.parse(files.merges, source: files.mergesName, vocabulary: index)
        var byteIds: [Int32] = []
        for byte in UInt8.min...UInt8.max {
            let id = withUnsafePointer(to: byte) { index.id(of: UnsafeBufferPointer(start: $0, count: 1)) }
            guard let id else {
                throw TextError(
                    .invalidData, "no token for byte \(byte)", source: files.vocabularyName,
                    remedy: "use a byte-level vocabulary, which has all 256")
            }
            byteIds.append(id)
        }
        self.byteIds = byteIds
        endOfText = Array("<|endoftext|>".utf8).withUnsafeBufferPointer { index.id(of: $0) }
        var fingerprint = Fingerprint()
        fingerprint.combine(Self.kind)
        fingerprint.combine(vocabulary.count)
        vocabulary.offsets.forEach { fingerprint.combine(Int($0)) }
        fingerprint.combine(vocabulary.bytes)
        merges.results.forEach { fingerprint.combine(Int($0)) }
        self.fingerprint = fingerprint.text
    }

    public var kind: String { Self.kind }
    public var vocabularySize: Int { vocabulary.count }

    public func encode(utf8 bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) throws(TextError) {
        try UTF8Bytes.validate(bytes)
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        guard bytes.count <= LongPiece.greatestLength else {
            throw TextError(
                .usage, "\(bytes.count) bytes in one call", remedy: "cut the text where safeCut(in:) says")
        }
        let encoder = pool.withLock { $0.popLast() } ?? Pooled(encoder: PieceEncoder())
        defer { pool.withLock { $0.append(encoder) } }
        withExtendedLifetime((merges, byteIds)) {
            merges.slots.withUnsafeBufferPointer { slots in
                merges.results.withUnsafeBufferPointer { results in
                    byteIds.withUnsafeBufferPointer { byteIds in
                        ScalarClass.basicPlane.withUnsafeBufferPointer { classes in
                            guard let slotBase = slots.baseAddress, let byteBase = byteIds.baseAddress,
                                let classBase = classes.baseAddress
                            else { return }
                            // Without merges the table is empty and no result is ever looked up.
                            let lookup = MergeLookup(
                                slots: slotBase, mask: slots.count - 1, shift: merges.shift,
                                results: results.baseAddress ?? byteBase)
                            encoder.encoder.encode(
                                PieceScanner(base: base, count: bytes.count, classes: classBase), byteIds: byteBase,
                                lookup, into: &ids)
                        }
                    }
                }
            }
        }
    }

    public func append(bytesOf id: Int32, to bytes: inout [UInt8]) throws(TextError) {
        guard id >= 0, Int(id) < vocabulary.count else { throw outOfRange(id) }
        let range = Int(vocabulary.offsets[Int(id)])..<Int(vocabulary.offsets[Int(id) + 1])
        // A slice of the buffer is appended as a block, a slice of the array a byte at a time.
        vocabulary.bytes.withUnsafeBufferPointer { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
    }

    public func safeCut(in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        ScalarClass.basicPlane.withUnsafeBufferPointer { classes in
            classes.baseAddress.map { PieceCut.last(in: bytes, classes: $0) } ?? 0
        }
    }

    /// Writes `vocab.json` and `merges.txt`.
    public func write(to folder: URL) throws(TextError) {
        try files.write(to: folder)
    }
}
