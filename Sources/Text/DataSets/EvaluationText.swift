public import Files
import Foundation

/// A data set as tokens, to be cut into blocks without overlap.
///
/// Documents are encoded one by one; an end of text follows each, and all are joined before they are cut, so that a block may
/// hold the end of one document and the beginning of the next. (Cutting document by document and dropping each one's
/// remainder, as is also done, leaves Penn Treebank without a single block of 1024.) Where the tokenizer has no end of text,
/// a line end stands for it unless the document ends in one. Documents are what `DocumentReader` says, as in training, or the
/// detokenized rows of a named corpus.
public struct EvaluationText: Sendable {
    private enum Storage: Sendable {
        case memory([Int32])
        case stream(TokenStream)
    }

    /// What the data are, as they were asked for.
    public let specification: DataSpecification
    /// Documents that it was made of; nil for a plain file that is one.
    public let rows: Int?
    /// What was left out of the texts or replaced in them, a line each, naming the file.
    public let notes: [String]
    /// Whether each token is one character.
    public let tokensAreCharacters: Bool
    private let storage: Storage
    /// Bytes that each id stands for; an end of text counts as one, as the line end that it replaces.
    private let lengths: [Int]

    /// Reads, detokenizes and encodes.
    /// - Parameters:
    ///   - lastShare: the last share of the tokens alone, in 0<...1, as training keeps them from itself.
    ///   - progress: called while files that are not of a named corpus are encoded.
    /// - Throws: `missingInput`, `invalidData` naming the file; `usage` for another share.
    public init(
        _ specification: DataSpecification, tokenizer: any Tokenizer, lastShare: Double = 1,
        cache: TokenCache = .default, progress: (TokenFileBuilder.Progress) -> Void = { _ in }
    ) throws(TextError) {
        try self.init(
            [specification], tokenizer: tokenizer, lastShare: lastShare, cache: cache, progress: progress)
    }

    /// Several files as one data set, in their order, as training reads them: what it holds out is the last share of all.
    /// - Throws: `usage` without data, or for a named corpus among several.
    public init(
        _ specifications: [DataSpecification], tokenizer: any Tokenizer, lastShare: Double = 1,
        cache: TokenCache = .default, progress: (TokenFileBuilder.Progress) -> Void = { _ in }
    ) throws(TextError) {
        guard lastShare > 0, lastShare <= 1 else {
            throw TextError(.usage, "a share of \(lastShare) of the data", remedy: "choose more than 0 and at most 1")
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

    /// Tokens that are there already, the held-out ones of a training run for instance.
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

    /// The tokens of block `index` of a cut into blocks of `length`.
    /// - Throws: `invalidData` where there are fewer than `length` tokens at all; `usage` for a block that is not there.
    public func block(_ index: Int, length: Int) throws(TextError) -> [Int] {
        try requireBlock(of: length)
        switch storage {
        case .memory(let ids):
            guard index >= 0, index < ids.count / length else {
                throw TextError(
                    .usage, "block \(index) of \(ids.count / length)", source: specification.description,
                    remedy: "ask for a block that is there")
            }
            return ids[(index * length)..<((index + 1) * length)].map { Int($0) }
        case .stream(let stream):
            return try stream.window(at: index * length, length: length).map { Int($0) }
        }
    }

    /// - Throws: `invalidData` saying how many tokens there are, unless a block of `length` fits.
    public func requireBlock(of length: Int) throws(TextError) {
        guard length > 0 else {
            throw TextError(.usage, "a block of \(length) tokens", remedy: "choose a length of at least 1")
        }
        guard count >= length else {
            throw TextError(
                .invalidData, "\(count) tokens are too few for one block of \(length)",
                source: specification.description, remedy: "give more text, or choose a shorter block")
        }
    }

    /// Bytes of text that `tokens` stand for.
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
