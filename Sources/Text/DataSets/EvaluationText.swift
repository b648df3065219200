public import Files
import Foundation

/// A tokenized data set, to be cut into blocks without overlap.
///
/// Documents are encoded one by one, an end of text follows each, and all are concatenated before they are cut, so that
/// a block may contain the end of one document and the beginning of the next. (The alternative of cutting each document
/// and dropping its remainder leaves Penn Treebank without a single block of 1024.) If the tokenizer has no end of
/// text, a line end takes its place unless the document ends in one. Documents are those of `DocumentReader`, as in
/// training, or the detokenized rows of a named corpus.
public struct EvaluationText: Sendable {
    private enum Storage: Sendable {
        case memory([Int32])
        case stream(TokenStream)
    }

    /// The data, as specified.
    public let specification: DataSpecification
    /// Number of documents; nil for a plain file that is one.
    public let rows: Int?
    /// What was omitted from or replaced in the texts, one line each, with the file's name.
    public let notes: [String]
    /// Whether each token is one character.
    public let tokensAreCharacters: Bool
    private let storage: Storage
    /// Bytes that each id stands for; an end of text counts as one byte, like the line end that it replaces.
    private let lengths: [Int]

    /// Reads, detokenizes and encodes.
    /// - Parameters:
    ///   - lastShare: only the last fraction of the tokens, in 0<...1, as training holds it out.
    ///   - progress: called while files are encoded, except those of a named corpus.
    /// - Throws: `missingInput`, `invalidData` that name the file; `usage` for a fraction out of range.
    public init(
        _ specification: DataSpecification, tokenizer: any Tokenizer, lastShare: Double = 1,
        cache: TokenCache = .default, progress: (TokenFileBuilder.Progress) -> Void = { _ in }
    ) throws(TextError) {
        try self.init(
            [specification], tokenizer: tokenizer, lastShare: lastShare, cache: cache, progress: progress)
    }

    /// Several files as one data set, in order, as in training, which holds out the last fraction of all.
    /// - Throws: `usage` without data, or for a named corpus among several files.
    public init(
        _ specifications: [DataSpecification], tokenizer: any Tokenizer, lastShare: Double = 1,
        cache: TokenCache = .default, progress: (TokenFileBuilder.Progress) -> Void = { _ in }
    ) throws(TextError) {
        guard lastShare > 0, lastShare <= 1 else {
            throw TextError(
                .usage, "the fraction of the data is \(lastShare)", remedy: "choose more than 0 and at most 1")
        }
        guard let first = specifications.first,
            specifications.count == 1 || specifications.allSatisfy({ $0.name == nil })
        else {
            throw TextError(
                .usage, "a named corpus among several data sets", remedy: "give it by itself, or files without names")
        }
        specification =
            specifications.count == 1
            ? first : DataSpecification(named: specifications.map(\.description).joined(separator: " "))
        tokensAreCharacters = tokenizer.kind == CharacterTokenizer.kind
        lengths = try Self.byteLengths(tokenizer)
        guard first.name != nil else {
            let dataset = try TokenDataset(
                sources: specifications.map(\.file), tokenizer: tokenizer, cache: cache,
                heldOutFraction: lastShare == 1 ? 0 : lastShare, progress: progress)
            let stream = lastShare == 1 ? dataset.all : dataset.heldOut
            storage = .stream(stream)
            let marksEnds = specifications.contains { DocumentReader.form(of: $0.file) == .json }
            rows = marksEnds || stream.documentCount > specifications.count ? stream.documentCount : nil
            notes = dataset.notes
            return
        }
        let (made, found) = try Self.rows(of: first)
        notes = found.lines.map { "\(first.file.path): \($0)" }
        rows = made.count
        let ids = try Self.encoded(made, first, tokenizer)
        storage = .memory(Array(ids.suffix(Int(lastShare * Double(ids.count)))))
    }

    /// Tokens that already exist, for instance the held-out ones of a training run.
    package init(_ stream: TokenStream, named name: String, tokenizer: any Tokenizer) throws(TextError) {
        specification = DataSpecification(named: name)
        tokensAreCharacters = tokenizer.kind == CharacterTokenizer.kind
        lengths = try Self.byteLengths(tokenizer)
        storage = .stream(stream)
        rows = nil
        notes = []
    }

    /// Number of tokens.
    public var count: Int {
        switch storage {
        case .memory(let ids): ids.count
        case .stream(let stream): stream.count
        }
    }

    /// The tokens of block `index` when cut into blocks of `length`.
    /// - Throws: `invalidData` if there are fewer than `length` tokens; `usage` if the block does not exist.
    public func block(_ index: Int, length: Int) throws(TextError) -> [Int] {
        try requireBlock(of: length)
        guard index >= 0, index < count / length else {
            throw TextError(
                .usage, "block \(index) of \(count / length)", source: specification.description,
                remedy: "choose an existing block")
        }
        switch storage {
        case .memory(let ids):
            return ids[(index * length)..<((index + 1) * length)].map { Int($0) }
        case .stream(let stream):
            return try stream.window(at: index * length, length: length).map { Int($0) }
        }
    }

    /// - Throws: `invalidData` with the number of tokens, unless a block of `length` fits.
    public func requireBlock(of length: Int) throws(TextError) {
        guard length > 0 else {
            throw TextError(.usage, "the block length is \(length)", remedy: "choose a length of at least 1")
        }
        guard count >= length else {
            throw TextError(
                .invalidData, "\(count) tokens are too few for one block of \(length)",
                source: specification.description, remedy: "give more text, or choose a shorter block")
        }
    }

    /// Number of bytes that `tokens` stand for.
    public func bytes(of tokens: some Sequence<Int>) -> Int { tokens.reduce(0) { $0 + lengths[$1] } }

    private static func byteLengths(_ tokenizer: any Tokenizer) throws(TextError) -> [Int] {
        var lengths: [Int] = []
        for id in 0..<Int32(tokenizer.vocabularySize) { lengths.append(try tokenizer.bytes(of: id).count) }
        if let end = tokenizer.endOfText { lengths[Int(end)] = 1 }
        return lengths
    }

    /// The detokenized rows.
    static func rows(of specification: DataSpecification) throws(TextError) -> (rows: [String], notes: TextNotes) {
        let read = try TextRows(specification.file, lines: specification.name?.lineRows ?? .trimmed)
        let source = read.rows
        if specification.name == .text8 {
            return ([try Text8.testSplit(source.joined(), specification.file)], read.notes)
        }
        guard let detokenizer = specification.name?.detokenizer else { return (source, read.notes) }
        return (source.map { detokenizer($0) }, read.notes)
    }

    private static func encoded(
        _ rows: [String], _ specification: DataSpecification, _ tokenizer: any Tokenizer
    ) throws(TextError) -> [Int32] {
        var ids: [Int32] = []
        let separates = specification.name?.separatesRows ?? true
        for (index, row) in rows.enumerated() {
            let stand = separates && tokenizer.endOfText == nil && !row.hasSuffix("\n")
            let text = Array((stand ? row + "\n" : row).utf8)
            do throws(TextError) {
                try text.withUnsafeBufferPointer { buffer throws(TextError) in
                    try tokenizer.encode(utf8: buffer, into: &ids)
                }
            } catch {
                throw error.located(in: "\(specification.description), row \(index + 1)")
            }
            if separates, let end = tokenizer.endOfText { ids.append(end) }
        }
        return ids
    }
}
