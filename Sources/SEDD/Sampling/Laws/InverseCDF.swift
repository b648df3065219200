import Files
import Torch

/// Draws by inverse cumulative distribution function, in float64.
///
/// One uniform number per row and cumulative sums in double precision reach every state with positive weight, however
/// small; float32 Gumbel or exponential races never draw states below about 1e-8 of the largest weight.
enum InverseCDF {
    /// Draws one index per row.
    ///
    /// - Parameters:
    ///   - weights: [M, V]; negative weights count as 0, sums need not be 1.
    ///   - uniforms: M numbers in (0, 1).
    /// - Throws: ``SEDDError`` of kind `diverged` if a row's weights are not finite or all 0.
    static func draw(_ weights: Tensor, uniforms: [Double]) throws -> [Int] {
        guard !uniforms.isEmpty else { return [] }
        let sums = try weights.clamped(minimum: 0).cast(to: .float64).cumulativeSum(1)  // [M, V]
        let last = try sums.shape[1] - 1
        let total = try sums.narrowed(1, from: last, length: 1).contiguous()  // [M, 1]
        let totals: [Double] = try total.array()
        if let row = totals.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
            throw impossible(total: totals[row])
        }
        let target = try total * Tensor(uniforms, shape: [uniforms.count, 1], device: total.device)  // [M, 1]
        let drawn: [Int] = try sums.searchSorted(target, right: true).array()
        // Rounding may put a target at the total itself; it then selects the last state with positive weight.
        guard drawn.contains(where: { $0 > last }) else { return drawn }
        let final: [Int] = try sums.searchSorted(total, right: false).array()
        return zip(drawn, final).map { min($0, $1) }
    }

    static func impossible(total: Double) -> SEDDError {
        SEDDError(
            .diverged,
            "the weights of a draw add up to \(total); expected a positive finite number: the model's outputs are not finite; check the weights of the model"
        )
    }
}
