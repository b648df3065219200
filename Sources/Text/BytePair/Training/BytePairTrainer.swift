public import Files
public import Foundation

/// Trains a byte-level BPE vocabulary (Sennrich et al. 2016; bytes and splitting as in GPT-2, Radford et al. 2019).
/// Tokens and merges equal those that Hugging Face's `BpeTrainer` learns from the same strings with
/// `ByteLevel(add_prefix_space=False)`.
///
/// Memory use grows with the number of distinct pieces, not with the size of the texts.
public struct BytePairTrainer: Sendable {
    /// Progress of training.
    public enum Progress: Sendable {
        /// A file is being split and counted.
        case reading(TokenFileBuilder.Progress)
        /// Number of tokens so far, and in total.
        case merging(Int, of: Int)
    }

    /// Vocabulary size: special tokens, the 256 bytes, and merges.
    public let size: Int
    /// Minimum occurrences for a pair to be merged.
    public let minimumFrequency: Int
    /// Special tokens, which get the first ids and to which text never encodes.
    public let specials: [String]

    /// - Throws: `usage` if the size is too small for bytes and special tokens, the frequency is negative, or a special
    ///   token is empty or would decode to another text.
    public init(size: Int, minimumFrequency: Int = 2, specials: [String] = []) throws(TextError) {
        for special in specials { try Self.check(special) }
        let seed = VocabularySeed(specials)
        guard size >= seed.tokens.count, size <= Vocabulary.greatestCount else {
            let count = seed.tokens.count - 256
            throw TextError(
                .usage, "the vocabulary size is \(size)",
                remedy: "choose \(seed.tokens.count) (256 bytes and \(count) special) to \(Vocabulary.greatestCount)")
        }
        guard minimumFrequency >= 0 else {
            throw TextError(.usage, "the minimum frequency is \(minimumFrequency)", remedy: "choose 0 or more")
        }
        self.size = size
        self.minimumFrequency = minimumFrequency
        self.specials = specials
    }

    /// Trains on files.
    /// - Parameter byDocuments: whether each document is a separate string, as in training (`DocumentReader`), so that
    ///   nothing is learned from separators between documents. Otherwise a plain file is one string; rows of JSON files
    ///   are always separate strings.
    /// - Returns: a vocabulary of `size` tokens, or fewer if no pair occurs often enough.
    /// - Throws: `usage` without files; `missingInput`; `invalidData` for invalid UTF-8 or a run of 2 MiB without a
    ///   cut.
    public func train(
        files: [URL], byDocuments: Bool = false, progress: (Progress) -> Void = { _ in }
    ) throws(TextError) -> TrainedVocabulary {
        guard !files.isEmpty else { throw TextError(.usage, "no data", remedy: "name one or more text files") }
        let pieces = PieceCounts()
        for file in files {
            if byDocuments || DocumentReader.form(of: file) != .plain {
                try countDocuments(of: file, into: pieces, progress)
            } else {
                try countText(of: file, into: pieces, progress)
            }
        }
        return merged(pieces, progress)
    }

    private func countDocuments(
        of file: URL, into pieces: PieceCounts, _ progress: (Progress) -> Void
    ) throws(TextError) {
        let source = try DocumentReader.open(file)
        var told = 0
        while let part = try source.next(cut: Self.cut) {
            do throws(TextError) {
                try Self.count(part.bytes, into: pieces)
            } catch {
                throw source.located(error)
            }
            try Self.check(pieces, file)
            guard source.bytesRead >= told + TextReader.defaultCapacity else { continue }
            told = source.bytesRead
            progress(.reading(.init(file: file.path, bytesDone: told, bytesTotal: source.size)))
        }
    }

    private func countText(
        of file: URL, into pieces: PieceCounts, _ progress: (Progress) -> Void
    ) throws(TextError) {
        let reader = try TextReader(file)
        while let chunk = try reader.next(cut: Self.cut) {
            do throws(TextError) {
                try Self.count(chunk.bytes, into: pieces)
            } catch {
                throw error.located(in: file.path, from: chunk.start)
            }
            try Self.check(pieces, file)
            let done = chunk.start + chunk.bytes.count
            progress(.reading(.init(file: file.path, bytesDone: done, bytesTotal: max(done, reader.size))))
        }
    }

    private static func check(_ pieces: PieceCounts, _ file: URL) throws(TextError) {
        guard pieces.byteCount <= PairMerger.greatestByteCount else {
            throw TextError(
                .invalidData, "the distinct words exceed \(PairMerger.greatestByteCount >> 20) MiB",
                source: file.path, remedy: "train on fewer texts")
        }
    }

    /// Trains on texts, each of which is one string.
    public func train(texts: [String]) throws(TextError) -> TrainedVocabulary {
        let pieces = PieceCounts()
        for text in texts {
            try Array(text.utf8).withUnsafeBufferPointer { bytes throws(TextError) in
                try Self.count(bytes, into: pieces)
            }
        }
        return merged(pieces) { _ in }
    }

    private static func cut(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        ScalarClass.basicPlane.withUnsafeBufferPointer { classes in
            classes.baseAddress.map { PieceCut.last(in: bytes, classes: $0) } ?? 0
        }
    }

    private static func count(
        _ bytes: UnsafeBufferPointer<UInt8>, into pieces: PieceCounts
    ) throws(TextError) {
        try UTF8Bytes.validate(bytes)
        ScalarClass.basicPlane.withUnsafeBufferPointer { classes in
            guard let base = bytes.baseAddress, let classBase = classes.baseAddress else { return }
            let scanner = PieceScanner(base: base, count: bytes.count, classes: classBase)
            var start = 0
            while start < bytes.count {
                let end = scanner.end(from: start)
                pieces.add(
                    UnsafeBufferPointer(start: base + start, count: end - start), readable: bytes.count - start)
                start = end
            }
        }
    }

    private func merged(_ pieces: PieceCounts, _ progress: (Progress) -> Void) -> TrainedVocabulary {
        let seed = VocabularySeed(specials)
        var vocabulary = TrainedVocabulary(seed)
        let merger = PairMerger(pieces, byteIds: seed.byteIds)
        while vocabulary.tokens.count < size, let next = merger.next(minimum: minimumFrequency) {
            merger.merge(next, into: vocabulary.merge(next.pair))
            if vocabulary.count % 64 == 0 { progress(.merging(vocabulary.count, of: size)) }
        }
        progress(.merging(vocabulary.count, of: vocabulary.count))
        return vocabulary
    }

    /// In vocabulary files, special tokens are distinguished from byte-encoded tokens by containing a character that
    /// encodes no byte, or by encoding themselves.
    private static func check(_ special: String) throws(TextError) {
        let bytes = Array(special.utf8)
        guard !bytes.isEmpty else {
            throw TextError(.usage, "an empty special token", remedy: "give its text, such as '<|endoftext|>'")
        }
        var meant: [UInt8] = []
        let isBytes = bytes.withUnsafeBufferPointer { ByteAlphabet.append($0, to: &meant) }
        guard !isBytes || meant == bytes else {
            throw TextError(
                .usage, "the special token '\(special)' would be read as the bytes \(meant) in a byte-level vocabulary",
                remedy: "write it in ASCII, such as '<|endoftext|>'")
        }
    }
}
