import Torch

/// What a reverse step did to one position.
public struct Change: Sendable, Equatable {
    /// A token that a position could have taken, and how probable that was.
    public struct Alternative: Sendable, Equatable {
        public let token: Int
        public let probability: Double
    }

    public let position: Int
    /// The new state.
    public let state: Int
    /// Share of the new state among all states that the position could have left for; nil unless the sequence is watched.
    public let probability: Double?
    /// The most probable of those states, the most probable first; as many as the sequence is watched for.
    public let alternatives: [Alternative]
}

/// What positions could have become, read from the weights that their next states were drawn from.
struct Outlook: Sendable {
    let probability: Double
    let alternatives: [Change.Alternative]

    /// The same with no more than `count` alternatives.
    func first(_ count: Int) -> Outlook {
        Outlook(probability: probability, alternatives: Array(alternatives.prefix(count)))
    }

    /// The outlook of each row.
    ///
    /// - Parameters:
    ///   - weights: of the next state, [M, V] and none negative, after the draw.
    ///   - own: the states that the rows have left; one outside 0..<V has no weight to leave out.
    ///   - drawn: the states that they went to.
    ///   - count: alternatives of each row.
    static func read(_ weights: Tensor, own: [Int], drawn: [Int], count: Int) throws -> [Outlook] {
        guard !drawn.isEmpty else { return [] }
        let size = try weights.shape[1]
        let inside = try Tensor(own.map { min($0, size - 1) }, shape: [own.count, 1], device: weights.device)
        let held = try Tensor(own.map { $0 < size ? Float(0) : 1 }, shape: [own.count, 1], device: weights.device)
        let kept = try weights.gathered(1, inside) * held
        let leaving = try weights.scattered(1, inside, source: kept)
        let totals: [Double] = try leaving.cast(to: .float64).sum(1).array()
        let chosen: [Double] = try leaving.gathered(
            1, Tensor(drawn, shape: [drawn.count, 1], device: weights.device)
        ).array()
        let most = min(count, size)
        guard most > 0 else {
            return drawn.indices.map { Outlook(probability: chosen[$0] / totals[$0], alternatives: []) }
        }
        let (values, places) = try leaving.sorted(1, descending: true)
        let best: [Double] = try values.narrowed(1, from: 0, length: most).contiguous().array()
        let states: [Int] = try places.narrowed(1, from: 0, length: most).contiguous().array()
        return drawn.indices.map { row in
            let alternatives = (row * most..<(row + 1) * most).filter { best[$0] > 0 }.map {
                Change.Alternative(token: states[$0], probability: best[$0] / totals[row])
            }
            return Outlook(probability: chosen[row] / totals[row], alternatives: alternatives)
        }
    }
}
