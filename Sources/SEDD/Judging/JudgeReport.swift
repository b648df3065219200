import Foundation

/// What a judge found in a set of texts; the keys of `sedd judge --json`.
public struct JudgeReport: Sendable, Codable {
    /// The judge, as it was named.
    public var judge: String
    /// Texts.
    public var count: Int
    /// The judge's tokens of all texts.
    public var tokens: Int
    /// Tokens that the judge gave a probability to.
    public var predictedTokens: Int
    /// Whether the first token of a text was among them.
    public var predictsFirst: Bool
    /// Whether texts were written in other tokens than the judge's and met it through their text.
    public var retokenized: Bool
    /// Steps that the texts were made in, one for all; nil where they differ or the file does not say.
    public var steps: Int?
    /// How the texts were made; nil where they differ or the file does not say.
    public var sampler: String?
    /// What the model that wrote the texts computed in; draws are float64 in any case. Nil where they differ or the file does not
    /// say.
    public var samplesPrecision: String?
    /// What the judge computed in.
    public var precision: String
    /// e to the mean of nats over all tokens: the convention of most later work.
    public var perplexityOfTokens: Double
    /// The mean over texts of e to the text's mean of nats: the convention of the published SEDD code.
    public var perplexityOfTexts: Double
    /// Of the judge's tokens.
    public var diversity: Diversity
    /// Nearness to the reference, where there is one.
    public var mauve: Mauve.Result?
    /// How a text became a vector for it.
    public var feature: String?
    /// The reference, as it was named, and how many texts of it were compared.
    public var reference: String?
    public var referenceCount: Int?

    enum CodingKeys: String, CodingKey {
        case judge, count, tokens, steps, sampler, precision, diversity, mauve, feature, reference, retokenized
        case predictedTokens = "predicted_tokens", predictsFirst = "predicts_first_token"
        case samplesPrecision = "samples_precision"
        case perplexityOfTokens = "perplexity_of_tokens", perplexityOfTexts = "perplexity_of_texts"
        case referenceCount = "reference_count"
    }

    /// One line of JSON.
    public func json() throws -> String { try ReportJSON.line(self) }

    /// A few lines for a person.
    public var lines: [String] {
        func number(_ value: Double?, _ digits: Int = 4) -> String {
            value.map { String(format: "%.\(digits)f", $0) } ?? "none"
        }
        let made = [
            sampler ?? "sampler unknown", steps.map { "\($0) steps" } ?? "steps unknown",
            samplesPrecision ?? "precision unknown",
        ].joined(separator: ", ")
        var lines = [
            "judge \(judge), \(precision); \(count) texts of \(tokens) tokens (\(made))"
                + (retokenized ? "; re-tokenized through their text" : ""),
            "  generative perplexity  \(number(perplexityOfTokens, 3)) over tokens, \(number(perplexityOfTexts, 3)) over texts"
                + (predictsFirst ? "" : " (first tokens given)"),
            "  unigram entropy        \(number(diversity.entropy)) nats a text, \(number(diversity.pooledEntropy)) pooled",
            "  distinct 1 to 4 grams  \(diversity.distinct.map { number($0) }.joined(separator: " "))",
            "  repetition             \(number(diversity.repetition)) of 4-grams seen before in their text",
        ]
        if let mauve {
            lines.append(
                "  MAUVE                  \(number(mauve.score)) ± \(number(mauve.deviation)) over \(mauve.seeds) seeds; \(mauve.buckets) clusters, \(feature ?? "last token"), \(referenceCount ?? 0) texts of \(reference ?? "the reference")"
            )
        }
        return lines
    }
}
