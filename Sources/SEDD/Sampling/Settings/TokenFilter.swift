import Files
import Foundation
import Torch

/// A filter on the law of the clean token before it is drawn: temperature, then top-k, then top-p.
///
/// It acts on the law of the token, not on when a position settles (published samplers filter before multiplying by the
/// probability of settling).
public struct TokenFilter: Sendable, Hashable {
    /// Divisor of the log-probabilities; positive.
    public var temperature: Double
    /// Number of most probable tokens to keep; nil for all.
    public var topK: Int?
    /// Nucleus (Holtzman et al. 2019): keeps the most probable tokens up to the first whose cumulative probability
    /// reaches this fraction; nil for all.
    public var topP: Double?

    /// Creates a filter; ``validate()`` checks it.
    public init(temperature: Double = 1, topK: Int? = nil, topP: Double? = nil) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
    }

    /// The settings that requests can give, in the order in which they act.
    public static let settings = [
        SettingDeclaration(
            "temperature", .number(0...100), standard: .number(1),
            help:
                "Divisor of the log-probabilities: below 1 safer words, above 1 more surprising ones; 0 selects the most probable."
        ),
        SettingDeclaration(
            "top_k", .whole(1...1 << 30), standard: .word("all"), help: "Keep only the k most probable tokens."),
        SettingDeclaration(
            "top_p", .number(0...1), standard: .number(1),
            help: "Nucleus: keep the most probable tokens up to this total probability."),
    ]

    /// Whether it leaves every law unchanged.
    public var isIdentity: Bool { temperature == 1 && topK == nil && (topP == nil || topP == 1) }

    /// - Throws: ``SEDDError`` of kind `usage` for a value outside its range.
    public func validate() throws(SEDDError) {
        guard temperature > 0, temperature.isFinite else {
            throw SEDDError(
                .usage, "temperature is \(temperature); expected more than 0 (for greedy decoding, use top-k 1)")
        }
        guard topK ?? 1 >= 1 else { throw SEDDError(.usage, "top-k is \(topK ?? 0); expected 1 or more") }
        guard topP ?? 1 > 0, topP ?? 1 <= 1 else {
            throw SEDDError(.usage, "top-p is \(topP ?? 0); expected more than 0 and at most 1")
        }
    }

    /// The filtered law of one token; the reference implementation against which the tensor version is tested.
    ///
    /// - Parameter law: nonnegative weights; among equal ones the first counts as more probable.
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

    /// Factor of log-probabilities relative to their maximum. Temperatures below 1e-30 select the most probable token
    /// as 1e-30 does, but their reciprocals overflow.
    var sharpness: Double { 1 / max(temperature, 1e-30) }

    /// Substitute for log 0: its exponential is 0, and sums with it stay finite.
    static let logZero = -1e30

    /// The same for rows of log-weights; [M, n], not normalized.
    func callAsFunction(_ logs: Tensor) throws -> Tensor {
        // Relative to the most probable token: however cold, its log-weight stays above the substitute for log 0.
        let heated = try temperature == 1 ? logs : (logs - logs.maximum(1, keep: true)) * sharpness  // [M, n]
        guard topK != nil || (topP ?? 1) < 1 else { return heated }
        let (values, places) = try heated.sorted(1, descending: true)  // [M, n]
        let (rows, size) = (try values.shape[0], try values.shape[1])
        let most = min(topK ?? size, size)
        var counts = [Int](repeating: most, count: rows)
        if let topP, topP < 1 {
            let top = try values.narrowed(1, from: 0, length: most).cast(to: .float64)  // [M, k]
            let sums = try (top - top.narrowed(1, from: 0, length: 1)).exp().cumulativeSum(1)  // [M, k]
            let total = try sums.narrowed(1, from: most - 1, length: 1).contiguous()  // [M, 1]
            counts = try sums.searchSorted(total * topP, right: false).array(Int.self).map { min($0, most - 1) + 1 }
        }
        // 1 where the rank is below the row's count, else 0.
        let ranks = try Tensor((0..<size).map(Float.init), shape: [1, size], device: logs.device)  // [1, n]
        let limit = try Tensor(counts.map(Float.init), shape: [rows, 1], device: logs.device)  // [M, 1]
        let stays = try -((-(limit - ranks).clamped(minimum: 0)).clamped(minimum: -1))  // [M, n]
        let zero = try Tensor.full([], Self.logZero, dtype: values.dtype, device: logs.device)
        let kept = try stays.equals(1).choose(values, zero)  // [M, n]
        return try heated.scattered(1, places, source: kept)
    }
}
