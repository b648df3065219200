import Foundation
import Text

/// The result of an evaluation; the keys of `sedd evaluate --json`.
public struct EvaluationReport: Sendable, Codable {
    /// The data, as named on the command line.
    public var data: String
    /// Rows in the data; nil for a plain file.
    public var rows: Int?
    /// Tokens in the evaluated blocks.
    public var tokens: Int
    /// Tokens in the data, including those outside the blocks.
    public var tokensInData: Int
    /// Number of evaluated blocks.
    public var blocks: Int
    /// Tokens per block.
    public var length: Int
    /// The sum of ``terms``.
    public var natsPerToken: Double
    /// Standard error of ``natsPerToken`` over blocks; nil for a single block.
    public var standardError: Double?
    /// exp(``natsPerToken``).
    public var perplexity: Double
    /// ``natsPerToken`` in bits, per byte of the text.
    public var bitsPerByte: Double
    /// Bits per character, for character tokenizers.
    public var bitsPerCharacter: Double?
    /// Nats per token, by term.
    public var terms: [String: Double]
    /// Whether ``natsPerToken`` is -log p itself rather than an upper bound on it.
    public var exact: Bool
    /// `bound`, `published`, `exact` or `order`.
    public var convention: String
    /// The sampler whose likelihood was evaluated.
    public var order: String?
    /// Network evaluations per block, on average; nil if they were not counted.
    public var networkEvaluations: Double?
    /// Stratified times per block.
    public var timeSamples: Int?
    /// Lower limit of the integral over time.
    public var smallestTime: Double?
    /// Seed of times and noise.
    public var seed: UInt64?
    /// Precision of the model.
    public var precision: String
    /// Duration of the evaluation.
    public var seconds: Double

    enum CodingKeys: String, CodingKey {
        case data, rows, tokens, blocks, length, perplexity, terms, exact, convention, order, seed, precision, seconds
        case networkEvaluations = "network_evaluations"
        case tokensInData = "tokens_in_data", natsPerToken = "nats_per_token", standardError = "standard_error"
        case bitsPerByte = "bits_per_byte", bitsPerCharacter = "bits_per_character"
        case timeSamples = "time_samples", smallestTime = "smallest_time"
    }

    init(
        text: EvaluationText, length: Int, likelihood: some BlockLikelihood, evaluationsPerBlock: Double?,
        sum: EvaluationSum, bytes: Int, seconds: Double
    ) {
        data = text.specification.description
        rows = text.rows
        tokens = sum.tokens
        tokensInData = text.count
        blocks = sum.count
        self.length = length
        terms = Dictionary(uniqueKeysWithValues: zip(likelihood.terms, sum.means))
        natsPerToken = sum.means.reduce(0, +)
        standardError = sum.standardError
        perplexity = exp(natsPerToken)
        bitsPerByte = natsPerToken * Double(sum.tokens) / log(2) / Double(max(1, bytes))
        bitsPerCharacter = text.tokensAreCharacters ? natsPerToken / log(2) : nil
        exact = likelihood.isExact
        convention = likelihood.settings.convention
        order = likelihood.settings.order
        networkEvaluations = evaluationsPerBlock
        timeSamples = likelihood.settings.timeSamples
        smallestTime = likelihood.settings.smallestTime
        seed = likelihood.settings.seed
        precision = likelihood.settings.precision
        self.seconds = seconds
    }

    /// The report as one line of JSON.
    public func json() throws -> String { try ReportJSON.line(self) }

    /// A summary of a few lines.
    public var lines: [String] {
        func number(_ value: Double) -> String { String(format: "%.4f", value) }
        let order = ["diffusion", "prior", "reconstruction"].filter { terms[$0] != nil }
        let parts = order.map { "\($0) \(number(terms[$0] ?? 0))" }.joined(separator: ", ")
        let sign = exact ? "" : "<= "
        var head = "\(data): \(tokens) tokens in \(blocks) blocks of \(length), \(convention)"
        if let sampler = self.order { head += " \(sampler)" }
        if let timeSamples { head += ", \(timeSamples) times each" }
        if let networkEvaluations { head += String(format: ", %.1f evaluations each", networkEvaluations) }
        let error = standardError.map { " ± \(number($0))" } ?? ""
        var lines = [
            head,
            "  nats per token  \(sign)\(number(natsPerToken))" + error + (parts.isEmpty ? "" : "  (\(parts))"),
            "  perplexity      \(sign)\(number(perplexity))",
            "  bits per byte   \(sign)\(number(bitsPerByte))",
        ]
        if let bitsPerCharacter { lines.append("  bits per character \(sign)\(number(bitsPerCharacter))") }
        return lines
    }
}
