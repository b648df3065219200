import Files
import Foundation
import Torch

/// What is left of the law of a clean token before it is drawn from: temperature, then the most probable k, then the nucleus.
///
/// It acts on the law of a token, never on when a position settles (published samplers filter before they multiply
/// by the probability of settling).
public struct TokenFilter: Sendable, Hashable {
    /// What log-probabilities are divided by; more than 0.
    public var temperature: Double
    /// How many of the most probable tokens stay; nil for all.
    public var topK: Int?
    /// The nucleus (Holtzman et al. 2019): of the tokens in the order of their probability, the first whose sum reaches this
    /// share; nil for all.
    public var topP: Double?

    /// A filter; ``validate()`` checks it.
    public init(temperature: Double = 1, topK: Int? = nil, topP: Double? = nil) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
    }

    /// Whether it leaves every law as it is.
    public var isIdentity: Bool { temperature == 1 && topK == nil && (topP == nil || topP == 1) }

    /// - Throws: ``SEDDError`` of kind `usage` for a value outside its range.
    public func validate() throws(SEDDError) {
        guard temperature > 0, temperature.isFinite else {
            throw SEDDError(
                .usage, "a temperature of \(temperature); expected more than 0 (top-k 1 takes the most probable)")
        }
        guard topK ?? 1 >= 1 else { throw SEDDError(.usage, "top-k is \(topK ?? 0); expected 1 or more") }
        guard topP ?? 1 > 0, topP ?? 1 <= 1 else {
            throw SEDDError(.usage, "top-p is \(topP ?? 0); expected more than 0 and at most 1")
        }
    }

    /// The filtered law of one token; the plain form that the tensor one is tested against.
    ///
    /// - Parameter law: weights, none negative; of equal ones the first counts as the more probable.
    /// - Returns: probabilities.
    func callAsFunction(_ law: [Double]) -> [Double] {
        let greatest = law.max() ?? 0
        guard greatest > 0 else { return law }
        let heated = law.map { $0 > 0 ? exp(log($0 / greatest) / temperature) : 0 }
        let order = heated.indices.sorted { (heated[$1], $0) < (heated[$0], $1) }.prefix(topK ?? .max)
        let wanted = (topP ?? 1) * order.reduce(0) { $0 + heated[$1] }
        var kept = [Double](repeating: 0, count: law.count)
        var sum = 0.0
        for place in order {
            kept[place] = heated[place]
            sum += heated[place]
            if topP != nil, sum >= wanted { break }
        }
        return kept.map { $0 / sum }
    }

    /// What stands for the logarithm of 0: exponentials of it are 0, and it survives sums.
    static let logZero = -1e30

    /// The same for rows of logarithms of weights; [M, n], not normalised.
    func callAsFunction(_ logs: Tensor) throws -> Tensor {
        let heated = try temperature == 1 ? logs : logs * (1 / temperature)  // [M, n]
        guard topK != nil || (topP ?? 1) < 1 else { return heated }
        let (values, places) = try heated.sorted(1, descending: true)
        let (rows, size) = (try values.shape[0], try values.shape[1])
        let most = min(topK ?? size, size)
        var counts = [Int](repeating: most, count: rows)
        if let topP, topP < 1 {
            let top = try values.narrowed(1, from: 0, length: most).cast(to: .float64)
            let sums = try (top - top.narrowed(1, from: 0, length: 1)).exp().cumulativeSum(1)  // [M, k]
            let total = try sums.narrowed(1, from: most - 1, length: 1).contiguous()
            counts = try sums.searchSorted(total * topP, right: false).array(Int.self).map { min($0, most - 1) + 1 }
        }
        // 1 where the rank is below the row's count, else 0.
        let ranks = try Tensor((0..<size).map(Float.init), shape: [1, size], device: logs.device)
        let limit = try Tensor(counts.map(Float.init), shape: [rows, 1], device: logs.device)
        let stays = try -((-(limit - ranks).clamped(minimum: 0)).clamped(minimum: -1))  // [M, n]
        let zero = try Tensor.full([], Self.logZero, dtype: values.dtype, device: logs.device)
        let kept = try stays.equals(1).choose(values, zero)
        return try heated.scattered(1, places, source: kept)
    }
}
