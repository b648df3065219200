import Foundation

/// The result of judging a set of texts; the keys of `sedd judge --json`.
public struct JudgeReport: Sendable, Codable {
    /// The judge, as named on the command line.
    public var judge: String
    /// Number of texts.
    public var count: Int
    /// Tokens of all texts, in the judge's vocabulary.
    public var tokens: Int
    /// Tokens to which the judge assigned a probability.
    public var predictedTokens: Int
    /// Whether these include the first token of each text.
    public var predictsFirst: Bool
    /// True if whole sequences were judged, ends of text included; nil if texts were, each up to its first end.
    public var whole: Bool?
    /// Whether texts were generated in another vocabulary and re-encoded from their text.
    public var retokenized: Bool
    /// Sampling steps common to all texts; nil if they differ or are not recorded.
    public var steps: Int?
    /// How the texts were sampled; nil if they differ or it is not recorded.
    public var sampler: String?
    /// Precision of the model that generated the texts; draws are float64 in any case. Nil if it differs or is not
    /// recorded.
    public var samplesPrecision: String?
    /// Precision of the judge.
    public var precision: String
    /// exp of the mean nats over all tokens: the convention of most later work.
    public var perplexityOfTokens: Double
    /// Standard error of ``perplexityOfTokens`` over texts, by the delta method for a ratio of sums; nil for one text
    /// and in reports of earlier versions.
    public var perplexityStandardError: Double?
    /// Mean over texts of exp of the text's mean nats: the convention of the published SEDD code, which judges whole
    /// sequences.
    public var perplexityOfTexts: Double
    /// Of the judge's tokens.
    public var diversity: Diversity
    /// Similarity to the reference, if there is one.
    public var mauve: Mauve.Result?
    /// How a text was reduced to a vector for MAUVE.
    public var feature: String?
    /// The reference, as named on the command line.
    public var reference: String?
    /// Number of reference texts compared.
    public var referenceCount: Int?

    enum CodingKeys: String, CodingKey {
        case judge, count, tokens, whole, steps, sampler, precision, diversity, mauve, feature, reference, retokenized
        case predictedTokens = "predicted_tokens", predictsFirst = "predicts_first_token"
        case samplesPrecision = "samples_precision"
        case perplexityOfTokens = "perplexity_of_tokens", perplexityOfTexts = "perplexity_of_texts"
        case perplexityStandardError = "perplexity_standard_error"
        case referenceCount = "reference_count"
    }

    /// The report as one line of JSON.
    public func json() throws -> String { try ReportJSON.line(self) }

    /// A summary of a few lines.
    public var lines: [String] {
        func number(_ value: Double?, _ digits: Int = 4) -> String {
            value.map { String(format: "%.\(digits)f", $0) } ?? "none"
        }
        let made = [
            sampler ?? "sampler unknown", steps.map { "\($0) steps" } ?? "steps unknown",
            samplesPrecision ?? "precision unknown",
        ].joined(separator: ", ")
        var lines = [
            "judge \(judge), \(precision); \(count) \(whole == true ? "whole sequences" : "texts") of \(tokens) tokens (\(made))"
                + (retokenized ? "; re-tokenized through their text" : ""),
            "  generative perplexity  \(SampleMean.text(perplexityOfTokens, perplexityStandardError, digits: 3)) over tokens, \(number(perplexityOfTexts, 3)) over texts"
                + (predictsFirst ? "" : " (first tokens given)"),
            "  unigram entropy        \(SampleMean.text(diversity.entropy, diversity.entropyStandardError, digits: 4)) nats per text, \(number(diversity.pooledEntropy)) pooled",
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
