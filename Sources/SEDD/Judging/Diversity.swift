import Foundation

/// Lexical diversity of texts, computed from their tokens.
public struct Diversity: Sendable, Codable, Equatable {
    /// Mean over texts of the unigram entropy of each text, nats.
    public let entropy: Double
    /// Standard error of ``entropy`` over texts; nil for one text and in reports of earlier versions.
    public let entropyStandardError: Double?
    /// Unigram entropy of all texts pooled, nats.
    public let pooledEntropy: Double
    /// Distinct n-grams as a fraction of all n-grams of all texts, for n = 1, 2, 3, 4; nil if no text is long enough.
    public let distinct: [Double?]
    /// Mean over texts of the fraction of 4-grams that occur earlier in the same text; nil if no text has any.
    public let repetition: Double?

    enum CodingKeys: String, CodingKey {
        case entropy, distinct, repetition
        case entropyStandardError = "entropy_standard_error", pooledEntropy = "pooled_entropy"
    }

    init(_ texts: [[Int]]) {
        let entropies = texts.map(Self.entropy)
        entropy = entropies.reduce(0, +) / Double(max(1, texts.count))
        entropyStandardError = SampleMean.standardError(entropies)
        pooledEntropy = Self.entropy(texts.flatMap { $0 })
        distinct = (1...4).map { n in
            let grams = texts.flatMap { Self.grams($0, n) }
            return grams.isEmpty ? nil : Double(Set(grams).count) / Double(grams.count)
        }
        let shares = texts.compactMap { text -> Double? in
            let grams = Self.grams(text, 4)
            return grams.isEmpty ? nil : 1 - Double(Set(grams).count) / Double(grams.count)
        }
        repetition = shares.isEmpty ? nil : shares.reduce(0, +) / Double(shares.count)
    }

    /// Entropy -sum p log p of the token frequencies, nats.
    static func entropy(_ tokens: [Int]) -> Double {
        var counts: [Int: Int] = [:]
        for token in tokens { counts[token, default: 0] += 1 }
        // Summed in the order of the counts, so that the result does not depend on dictionary order.
        return counts.values.sorted().reduce(0.0) { sum, count in
            let p = Double(count) / Double(tokens.count)
            return sum - p * log(p)
        }
    }

    private static func grams(_ tokens: [Int], _ n: Int) -> [ArraySlice<Int>] {
        tokens.count < n ? [] : (0...(tokens.count - n)).map { tokens[$0..<($0 + n)] }
    }
}
