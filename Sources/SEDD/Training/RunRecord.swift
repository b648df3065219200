import Files

/// What a run used last besides its configuration: what determines the meaning of its weights, and where they were
/// computed.
public struct RunRecord: Sendable, Codable, Equatable {
    /// Fingerprint of the tokenizer; with another one, ids have other meanings.
    public var tokenizer: String
    /// Vocabulary size.
    public var vocabulary: Int
    /// Tokens of the data, including held-out ones.
    public var tokens: Int
    /// Fingerprint of these tokens.
    public var data: String
    /// The device: `cpu`, `cuda:0`.
    public var device: String
    /// Precision of the trunk.
    public var precision: Precision
    /// Whether a checkpoint has been saved.
    public var saved = false

    /// Creates a record.
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

    /// What differs from the last record, one line each, with both values.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if the meaning of trained weights would change.
    public func changes(from last: RunRecord, run: String) throws(SEDDError) -> [String] {
        guard tokenizer == last.tokenizer, vocabulary == last.vocabulary || !last.saved else {
            guard last.saved else { return [] }
            throw SEDDError(
                .usage,
                "\(run): its weights were trained with another tokenizer (\(last.tokenizer), \(last.vocabulary) tokens; found \(tokenizer), \(vocabulary) tokens); restore the tokenizer's files, or start another run"
            )
        }
        var lines: [String] = []
        if data != last.data {
            lines.append(
                "the data have changed since the run last used them: \(last.tokens) tokens then, \(tokens) now; continuing with these"
            )
        }
        if device != last.device { lines.append("device: \(last.device) before, \(device) now") }
        if precision != last.precision {
            lines.append("precision: \(last.precision.rawValue) before, \(precision.rawValue) now")
        }
        return lines
    }
}
