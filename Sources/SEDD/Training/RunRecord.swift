import Files

/// What a run last used beside its configuration: what its weights mean, and where they were computed.
public struct RunRecord: Sendable, Codable, Equatable {
    /// Fingerprint of the tokenizer; ids of another one mean other texts.
    public var tokenizer: String
    /// Tokens of the vocabulary.
    public var vocabulary: Int
    /// Tokens of the data, held-out ones included.
    public var tokens: Int
    /// Fingerprint of those tokens.
    public var data: String
    /// The device: `cpu`, `cuda:0`.
    public var device: String
    /// What the trunk computes in.
    public var precision: Precision
    /// Whether a checkpoint has been saved.
    public var saved = false

    /// A run that starts, or goes on, with these.
    public init(
        tokenizer: String, vocabulary: Int, tokens: Int, data: String, device: String, precision: Precision,
        saved: Bool = false
    ) {
        self.tokenizer = tokenizer
        self.vocabulary = vocabulary
        self.tokens = tokens
        self.data = data
        self.device = device
        self.precision = precision
        self.saved = saved
    }

    /// What differs from what the run last used, a line each, with both values.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where trained weights would get another meaning.
    public func changes(from last: RunRecord, run: String) throws(SEDDError) -> [String] {
        guard tokenizer == last.tokenizer, vocabulary == last.vocabulary || !last.saved else {
            guard last.saved else { return [] }
            throw SEDDError(
                .usage,
                "\(run): its weights were trained with another tokenizer (\(last.tokenizer), \(last.vocabulary) tokens; found \(tokenizer), \(vocabulary) tokens); give the files as they were, or start another run"
            )
        }
        var lines: [String] = []
        if data != last.data {
            lines.append(
                "the data have changed since the run last used them: \(last.tokens) tokens then, \(tokens) now; going on with these"
            )
        }
        if device != last.device { lines.append("device: \(last.device) before, \(device) now") }
        if precision != last.precision {
            lines.append("precision: \(last.precision.rawValue) before, \(precision.rawValue) now")
        }
        return lines
    }
}
