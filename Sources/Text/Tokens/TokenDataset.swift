public import Files
public import Foundation

/// What a model is trained on and judged by: the tokens of one or more files, in order, the last of them held out.
public struct TokenDataset: Sendable {
    /// All the tokens.
    public let all: TokenStream
    /// The tokens before the held-out ones.
    public let training: TokenStream
    /// The last floor(`heldOutFraction` x count) tokens.
    public let heldOut: TokenStream

    /// What was left out of the texts or replaced in them, a line each, naming the file.
    public let notes: [String]

    /// Opens the sources: a file whose name ends in `.bin` holds token ids, all of which are looked at once; any other holds
    /// texts (`DocumentReader`), which are encoded once and kept in the cache.
    /// - Parameters:
    ///   - heldOutFraction: in 0..<1.
    ///   - progress: called while texts are encoded, not at all when all are in the cache.
    /// - Throws: `usage` without sources or for a fraction outside 0..<1; otherwise as `TokenCache.tokens`, and
    ///   `invalidData` for a `.bin` file of another kind, of another tokenizer, or with an id outside the vocabulary.
    public init(
        sources: [URL], tokenizer: any Tokenizer, cache: TokenCache = .default, heldOutFraction: Double = 0,
        progress: (TokenFileBuilder.Progress) -> Void = { _ in }
    ) throws(TextError) {
        guard !sources.isEmpty else {
            throw TextError(.usage, "no data", remedy: "name one or more text or .bin files")
        }
        guard heldOutFraction >= 0, heldOutFraction < 1 else {
            throw TextError(
                .usage, "a held-out fraction of \(heldOutFraction)", remedy: "choose one from 0 to below 1")
        }
        var files: [TokenFile] = []
        var notes: [String] = []
        for source in sources {
            let file =
                DocumentReader.form(of: source) == .tokens
                ? try BinaryTokenFile.open(source, tokenizer: tokenizer).checked(endOfText: tokenizer.endOfText)
                : try cache.tokens(of: source, tokenizer: tokenizer, progress: progress)
            files.append(file)
            notes += file.notes.lines.map { "\(source.path): \($0)" }
        }
        self.notes = notes
        all = TokenStream(files, of: sources.map(\.path))
        let heldOutCount = Int(heldOutFraction * Double(all.count))
        (training, heldOut) = all.split(at: all.count - heldOutCount)
    }
}
