import Files
import Torch

/// Draws by inverse cumulative distribution, in float64.
///
/// One uniform number a row and running sums in double precision reach every state whose weight is positive, however
/// small; float32 Gumbel or exponential races never draw those below about 1e-8 of the largest.
enum InverseCDF {
    /// One index a row.
    ///
    /// - Parameters:
    ///   - weights: [M, V]; negative ones count as 0, sums need not be 1.
    ///   - uniforms: M numbers in (0, 1).
    /// - Throws: ``SEDDError`` of kind `diverged` where a row's weights are not numbers or all 0.
    static func draw(_ weights: Tensor, uniforms: [Double]) throws -> [Int] {
        guard !uniforms.isEmpty else { return [] }
        let sums = try weights.clamped(minimum: 0).cast(to: .float64).cumulativeSum(1)
        let last = try sums.shape[1] - 1
        let total = try sums.narrowed(1, from: last, length: 1).contiguous()
        let totals: [Double] = try total.array()
        if let row = totals.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
            throw impossible(total: totals[row])
        }
        let target = try total * Tensor(uniforms, shape: [uniforms.count, 1], device: total.device)
        let drawn: [Int] = try sums.searchSorted(target, right: true).array()
        // Rounding may put a target on the total itself; the last state with a positive weight is meant then.
        guard drawn.contains(where: { $0 > last }) else { return drawn }
        let final: [Int] = try sums.searchSorted(total, right: false).array()
        return zip(drawn, final).map { min($0, $1) }
    }

    static func impossible(total: Double) -> SEDDError {
        SEDDError(
            .diverged,
            "a draw has weights that add up to \(total) instead of a positive number: the outputs of the model are not finite; check the weights of the model"
        )
    }
}
