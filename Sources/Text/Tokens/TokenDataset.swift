public import Files
public import Foundation

/// The data of a model: the tokens of one or more files, in order, with the last of them held out.
public struct TokenDataset: Sendable {
    /// All tokens.
    public let all: TokenStream
    /// The tokens before the held-out ones.
    public let training: TokenStream
    /// The last floor(`heldOutFraction` x count) tokens.
    public let heldOut: TokenStream

    /// What was omitted from or replaced in the texts, one line each, with the file's name.
    public let notes: [String]

    /// Opens the sources: files ending in `.bin` hold token ids, all of which are checked once; others hold texts
    /// (`DocumentReader`), which are encoded once and cached.
    /// - Parameters:
    ///   - heldOutFraction: in 0..<1.
    ///   - progress: called while texts are encoded, not if all are cached.
    /// - Throws: `usage` without sources or for a fraction outside 0..<1; otherwise like `TokenCache.tokens`, and
    ///   `invalidData` for a `.bin` file of another kind or tokenizer, or with an id outside the vocabulary.
    public init(
        sources: [URL], tokenizer: any Tokenizer, cache: TokenCache = .default, heldOutFraction: Double = 0,
        progress: (TokenFileBuilder.Progress) -> Void = { _ in }
    ) throws(TextError) {
        guard !sources.isEmpty else {
            throw TextError(.usage, "no data", remedy: "name one or more text or .bin files")
        }
        guard heldOutFraction >= 0, heldOutFraction < 1 else {
            throw TextError(
                .usage, "the held-out fraction is \(heldOutFraction)", remedy: "choose one from 0 to below 1")
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
