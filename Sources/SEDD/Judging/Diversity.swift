import Foundation

/// How varied texts are, from their tokens alone.
public struct Diversity: Sendable, Codable, Equatable {
    /// Mean over texts of the entropy of a text's own tokens, nats.
    public let entropy: Double
    /// Entropy of the tokens of all texts together, nats.
    public let pooledEntropy: Double
    /// Distinct n-grams over all n-grams of all texts, for n = 1, 2, 3, 4; nil where no text is so long.
    public let distinct: [Double?]
    /// Mean over texts of the share of 4-grams that the text has had before; nil where no text has any.
    public let repetition: Double?

    enum CodingKeys: String, CodingKey {
        case entropy, distinct, repetition
        case pooledEntropy = "pooled_entropy"
    }

    init(_ texts: [[Int]]) {
        entropy = texts.map(Self.entropy).reduce(0, +) / Double(max(1, texts.count))
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

    /// -sum p log p of the shares of each token, nats.
    static func entropy(_ tokens: [Int]) -> Double {
        var counts: [Int: Int] = [:]
        for token in tokens { counts[token, default: 0] += 1 }
        // In the order of the counts, so that the sum does not depend on the order of a dictionary.
        return counts.values.sorted().reduce(0.0) { sum, count in
            let p = Double(count) / Double(tokens.count)
            return sum - p * log(p)
        }
    }

    private static func grams(_ tokens: [Int], _ n: Int) -> [ArraySlice<Int>] {
        tokens.count < n ? [] : (0...(tokens.count - n)).map { tokens[$0..<($0 + n)] }
    }
}
