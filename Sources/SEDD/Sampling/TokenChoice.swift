import Files
import Torch

/// How the next token of an autoregressive model is drawn: from its law after a filter.
public struct TokenChoice: Sendable, Equatable {
    /// The filter on the law.
    public let filter: TokenFilter

    /// - Throws: ``SEDDError`` of kind `usage` for a value outside its range.
    public init(_ filter: TokenFilter) throws(SEDDError) {
        try filter.validate()
        self.filter = filter
    }

    /// Creates a choice from the filter's parameters.
    public init(temperature: Double = 1, topK: Int? = nil, topP: Double? = nil) throws(SEDDError) {
        try self.init(TokenFilter(temperature: temperature, topK: topK, topP: topP))
    }

    /// Draws one token per row, by inverse cumulative distribution over tokens in descending order of probability, in
    /// float64.
    ///
    /// - Parameters:
    ///   - logits: [M, n].
    ///   - uniforms: M numbers in (0, 1).
    /// - Throws: ``SEDDError`` of kind `diverged` if a row is not finite.
    func draw(_ logits: Tensor, uniforms: [Double]) throws -> [Int] {
        var (values, places) = try logits.cast(to: .float64).sorted(1, descending: true)  // [M, n]
        let count = min(filter.topK ?? .max, try values.shape[1])
        values = try values.narrowed(1, from: 0, length: count)  // [M, k]
        let most = try values.narrowed(1, from: 0, length: 1)  // [M, 1]
        let sums = try ((values - most) * filter.sharpness).exp().cumulativeSum(1)  // [M, k]
        var total = try sums.narrowed(1, from: count - 1, length: 1).contiguous()  // [M, 1]
        if let topP = filter.topP {
            // The first position at which the cumulative sum reaches the fraction; that sum is the mass of the nucleus.
            let last = try sums.searchSorted(total * topP, right: false)
            let clipped = try last.array(Int.self).map { min($0, count - 1) }
            total = try sums.gathered(1, Tensor(clipped, shape: [clipped.count, 1], device: sums.device))
        }
        let totals: [Double] = try total.array()
        if let row = totals.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
            throw InverseCDF.impossible(total: totals[row])
        }
        let target = try total * Tensor(uniforms, shape: [uniforms.count, 1], device: sums.device)  // [M, 1]
        let drawn = try sums.searchSorted(target, right: true).array(Int.self).map { min($0, count - 1) }
        let index = try Tensor(drawn, shape: [drawn.count, 1], device: sums.device)  // [M, 1]
        return try places.gathered(1, index).array()
    }
}
