import Files
import Torch

/// How the next token is drawn from what a model that writes from left to right gives: temperature, then the most probable k,
/// then the nucleus.
public struct TokenChoice: Sendable, Equatable {
    /// What log-probabilities are divided by; more than 0.
    public let temperature: Double
    /// How many of the most probable tokens stay; nil for all.
    public let topK: Int?
    /// The nucleus (Holtzman et al. 2019): of the tokens in the order of their probability, the first whose sum reaches this
    /// share; nil for all.
    public let topP: Double?

    /// - Throws: ``SEDDError`` of kind `usage` for a value that makes no sense.
    public init(temperature: Double = 1, topK: Int? = nil, topP: Double? = nil) throws(SEDDError) {
        guard temperature > 0, temperature.isFinite else {
            throw SEDDError(
                .usage, "a temperature of \(temperature); expected more than 0 (top-k 1 takes the most probable)")
        }
        guard topK ?? 1 >= 1 else { throw SEDDError(.usage, "top-k is \(topK ?? 0); expected 1 or more") }
        guard topP ?? 1 > 0, topP ?? 1 <= 1 else {
            throw SEDDError(.usage, "top-p is \(topP ?? 0); expected more than 0 and at most 1")
        }
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
    }

    /// One token a row, by inverse cumulative distribution over the tokens in the order of their probability, in float64.
    ///
    /// - Parameters:
    ///   - logits: [M, n].
    ///   - uniforms: M numbers in (0, 1).
    /// - Throws: ``SEDDError`` of kind `diverged` where a row is no numbers.
    func draw(_ logits: Tensor, uniforms: [Double]) throws -> [Int] {
        var (values, places) = try logits.cast(to: .float64).sorted(1, descending: true)
        let count = min(topK ?? .max, try values.shape[1])
        values = try values.narrowed(1, from: 0, length: count)
        let most = try values.narrowed(1, from: 0, length: 1)
        let sums = try ((values - most) * (1 / temperature)).exp().cumulativeSum(1)
        var total = try sums.narrowed(1, from: count - 1, length: 1).contiguous()
        if let topP {
            // The first place where the sum reaches the share; what it sums to is the whole of the nucleus.
            let last = try sums.searchSorted(total * topP, right: false)
            let clipped = try last.array(Int.self).map { min($0, count - 1) }
            total = try sums.gathered(1, Tensor(clipped, shape: [clipped.count, 1], device: sums.device))
        }
        let totals: [Double] = try total.array()
        if let row = totals.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
            throw InverseCDF.impossible(total: totals[row])
        }
        let target = try total * Tensor(uniforms, shape: [uniforms.count, 1], device: sums.device)
        let drawn = try sums.searchSorted(target, right: true).array(Int.self).map { min($0, count - 1) }
        let index = try Tensor(drawn, shape: [drawn.count, 1], device: sums.device)
        return try places.gathered(1, index).array()
    }
}
