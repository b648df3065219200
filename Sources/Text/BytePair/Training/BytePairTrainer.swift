public import Files
public import Foundation

/// Learns a byte-level byte-pair vocabulary from texts (Sennrich et al. 2016; the bytes and the splitting are those of
/// GPT-2, Radford et al. 2019): token by token and merge by merge the one that Hugging Face's `BpeTrainer` learns from
/// the same strings with `ByteLevel(add_prefix_space=False)`.
///
/// Memory grows with the distinct pieces of the texts, not with the texts.
public struct BytePairTrainer: Sendable {
    public enum Progress: Sendable {
        /// A file is being split and counted.
        case reading(TokenFileBuilder.Progress)
        /// Tokens there are, of those wanted.
        case merging(Int, of: Int)
    }

    /// Tokens of the vocabulary: special ones, the 256 bytes, and those that merges make.
    public let size: Int
    /// Occurrences below which a pair does not merge.
    public let minimumFrequency: Int
    /// Texts of special tokens, which have the first ids and which no text ever encodes to.
    public let specials: [String]

    /// - Throws: `usage` for a size that does not hold the bytes and the special tokens, a frequency below 0, or a
    ///   special token that is empty or would decode to another text.
    public init(size: Int, minimumFrequency: Int = 2, specials: [String] = []) throws(TextError) {
        for special in specials { try Self.check(special) }
        let seed = VocabularySeed(specials)
        guard size >= seed.tokens.count, size <= Vocabulary.greatestCount else {
            let count = seed.tokens.count - 256
            throw TextError(
                .usage, "a vocabulary of \(size) tokens",
                remedy: "choose \(seed.tokens.count) (256 bytes and \(count) special) to \(Vocabulary.greatestCount)")
        }
        guard minimumFrequency >= 0 else {
            throw TextError(.usage, "a minimum frequency of \(minimumFrequency)", remedy: "choose 0 or more")
        }
        self.size = size
        self.minimumFrequency = minimumFrequency
        self.specials = specials
    }

    /// Learns from files.
    /// - Parameter byDocuments: whether each document is a string of its own, as training reads files (`DocumentReader`), so that
    ///   nothing is learnt from the marks between documents. Else a plain file is one string, to the byte; the rows of a
    ///   JSON file are strings of their own in any case.
    /// - Returns: a vocabulary of `size` tokens, or of fewer where no pair occurs often enough any more.
    /// - Throws: `usage` without files; `missingInput`; `invalidData` for invalid UTF-8 or a run of 2 MiB without a place to cut.
    public func train(
        files: [URL], byDocuments: Bool = false, progress: (Progress) -> Void = { _ in }
    ) throws(TextError) -> TrainedVocabulary {
        guard !files.isEmpty else { throw TextError(.usage, "no data", remedy: "name one or more text files") }
        let pieces = PieceCounts()
        for file in files {
            if byDocuments || DocumentReader.form(of: file) == .json {
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
                .invalidData, "the different words have more than \(PairMerger.greatestByteCount >> 20) MiB",
                source: file.path, remedy: "learn from a part of the texts")
        }
    }

    /// Learns from texts, each of which is one string.
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
        while vocabulary.tokens.count < size, let next = merger.next(least: minimumFrequency) {
            merger.merge(next, into: vocabulary.merge(next.pair))
            if vocabulary.count % 64 == 0 { progress(.merging(vocabulary.count, of: size)) }
        }
        progress(.merging(vocabulary.count, of: vocabulary.count))
        return vocabulary
    }

    /// Special tokens stand in the vocabulary's files beside tokens whose characters mean bytes, and are told from them by
    /// a character that means none, or by meaning themselves.
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
