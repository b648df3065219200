import Torch

/// Probability of a drawn state and of the most likely alternatives, among all states other than the previous one.
struct DrawReport: Sendable {
    let probability: Double
    let alternatives: [Change.Alternative]

    /// The same with at most `count` alternatives.
    func first(_ count: Int) -> DrawReport {
        DrawReport(probability: probability, alternatives: Array(alternatives.prefix(count)))
    }

    /// The report of each row.
    ///
    /// - Parameters:
    ///   - weights: weights of the next state; [M, V], nonnegative.
    ///   - own: the previous states of the rows.
    ///   - drawn: the new states of the rows.
    ///   - count: alternatives per row.
    static func read(_ weights: Tensor, own: [Int], drawn: [Int], count: Int) throws -> [DrawReport] {
        guard !drawn.isEmpty else { return [] }
        let size = try weights.shape[1]
        let held = try Tensor(own, shape: [own.count, 1], device: weights.device)  // [M, 1]
        let leaving = try weights.scattered(1, held, value: 0)  // [M, V]
        let totals: [Double] = try leaving.cast(to: .float64).sum(1).array()
        let chosen: [Double] = try leaving.gathered(
            1, Tensor(drawn, shape: [drawn.count, 1], device: weights.device)
        ).array()
        let most = min(count, size)
        guard most > 0 else {
            return drawn.indices.map { DrawReport(probability: chosen[$0] / totals[$0], alternatives: []) }
        }
        let (values, places) = try leaving.sorted(1, descending: true)  // [M, V]
        let best: [Double] = try values.narrowed(1, from: 0, length: most).contiguous().array()
        let states: [Int] = try places.narrowed(1, from: 0, length: most).contiguous().array()
        return drawn.indices.map { row in
            let alternatives = (row * most..<(row + 1) * most).filter { best[$0] > 0 }.map {
                Change.Alternative(token: states[$0], probability: best[$0] / totals[row])
            }
            return DrawReport(probability: chosen[row] / totals[row], alternatives: alternatives)
        }
    }
}
