public import Files
import Foundation

/// A data set as tokens, to be cut into blocks without overlap.
///
/// Rows of a named corpus or of JSON lines are detokenized and encoded one by one; an end of text follows each, and the
/// whole split is joined before it is cut. (Cutting part by part and dropping each part's remainder, as is also done, leaves
/// Penn Treebank without a single block of 1024.) Where the tokenizer has no end of text, a line end stands for it unless
/// the row ends in one. A plain file is one text.
public struct EvaluationText: Sendable {
    private enum Storage: Sendable {
        case memory([Int32])
        case stream(TokenStream)
    }

    /// What the data are, as they were asked for.
    public let specification: DataSpecification
    /// Rows that it was made of; nil for a plain file.
    public let rows: Int?
    /// Whether each token is one character.
    public let tokensAreCharacters: Bool
    private let storage: Storage
    /// Bytes that each id stands for; an end of text counts as one, as the line end that it replaces.
    private let lengths: [Int]

    /// Reads, detokenizes and encodes.
    /// - Parameters:
    ///   - lastShare: the last share of the tokens alone, in 0<...1, as training keeps them from itself.
    ///   - progress: called while a plain file is encoded.
    /// - Throws: `missingInput`, `invalidData` naming the file; `usage` for another share.
    public init(
        _ specification: DataSpecification, tokenizer: any Tokenizer, lastShare: Double = 1,
        cache: TokenCache = .default, progress: (TokenFileBuilder.Progress) -> Void = { _ in }
    ) throws(TextError) {
        guard lastShare > 0, lastShare <= 1 else {
            throw TextError(.usage, "a share of \(lastShare) of the data", remedy: "choose more than 0 and at most 1")
        }
        self.specification = specification
        tokensAreCharacters = tokenizer.kind == CharacterTokenizer.kind
        lengths = try Self.byteLengths(tokenizer)
        guard specification.name != nil || TextRows.isJSONLines(specification.file) else {
            let fraction = lastShare == 1 ? 0 : lastShare
            let dataset = try TokenDataset(
                sources: [specification.file], tokenizer: tokenizer, cache: cache, heldOutFraction: fraction,
                progress: progress)
            storage = .stream(lastShare == 1 ? dataset.all : dataset.heldOut)
            rows = nil
            return
        }
        let rows = try Self.rows(of: specification)
        self.rows = rows.count
        let ids = try Self.encoded(rows, specification, tokenizer)
        storage = .memory(Array(ids.suffix(Int(lastShare * Double(ids.count)))))
    }

    /// Tokens that are there already, the held-out ones of a training run for instance.
    package init(_ stream: TokenStream, named name: String, tokenizer: any Tokenizer) throws(TextError) {
        specification = DataSpecification(named: name)
        tokensAreCharacters = tokenizer.kind == CharacterTokenizer.kind
        lengths = try Self.byteLengths(tokenizer)
        storage = .stream(stream)
        rows = nil
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
    static func rows(of specification: DataSpecification) throws(TextError) -> [String] {
        let source = try TextRows(specification.file, lines: specification.name?.lineRows ?? .trimmed).rows
        if specification.name == .text8 { return [try Text8.testSplit(source.joined(), specification.file)] }
        guard let detokenizer = specification.name?.detokenizer else { return source }
        return source.map { detokenizer($0) }
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
