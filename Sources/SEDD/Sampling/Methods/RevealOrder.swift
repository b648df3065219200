/// Which masked positions are revealed next, as a function of the current state and, for one of them, of chance.
///
/// The position is chosen before its token is drawn: whatever the choice looks at, the law stays exact; to draw all
/// tokens and keep the likeliest, as MaskGIT and LLaDA do, sharpens it.
enum RevealOrder: Sendable, Equatable {
    /// The greatest probability of the most probable token.
    case confidence
    /// The greatest lead of the most probable token over the second (arXiv 2502.06768).
    case margin
    /// The least entropy.
    case entropy
    /// Any.
    case random
    case leftToRight
    /// By entropy, the longest run whose sum of entropies without the greatest is at most the bound, nats: an upper bound on what
    /// its positions tell each other (arXiv 2505.24857). At least one.
    case entropyBound(Double)

    /// Whether it looks at the laws of all masked positions.
    var needsShapes: Bool { self != .random && self != .leftToRight }

    /// Whether a state always leads to the same positions, so that a text has one way to be written.
    var isDeterministic: Bool { self != .random }

    /// What counts as equal: all masked, all positions have the same law, and rounding must not choose between them.
    private static let tolerance = 1e-5

    /// The places of `values`, the least first; of those that are equal to within the tolerance the first.
    private static func ordered(_ values: [Double]) -> [Int] {
        var order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        var start = 0
        while start < order.count {
            let limit = values[order[start]] + tolerance
            let end = order[start...].firstIndex { values[$0] > limit } ?? order.count
            order[start..<end].sort()
            start = end
        }
        return order
    }

    /// The chosen ones of `open`, by place; of equal ones the first.
    ///
    /// - Parameters:
    ///   - shapes: of the laws of the open positions, where ``needsShapes``.
    ///   - count: how many; the entropy bound decides that for itself.
    ///   - choice: gives one of so many equally likely numbers; each call has a number.
    func chosen(
        of open: [Int], shapes: [LawShape]?, count: Int, choice: (_ count: Int, _ draw: Int) -> Int
    ) -> [Int] {
        let most = min(count, open.count)
        func best(_ value: (LawShape) -> Double) -> [Int] { Self.ordered((shapes ?? []).map(value)) }
        switch self {
        case .confidence: return Array(best { -$0.first }.prefix(most))
        case .margin: return Array(best { $0.second - $0.first }.prefix(most))
        case .entropy: return Array(best { $0.entropy }.prefix(most))
        case .leftToRight: return Array(open.indices.prefix(most))
        case .random:
            var left = Array(open.indices)
            return (0..<most).map { left.remove(at: choice(left.count, $0)) }
        case .entropyBound(let bound):
            var (sum, greatest) = (0.0, 0.0)
            let run = best { $0.entropy }.prefix { place in
                let entropy = shapes?[place].entropy ?? 0
                (sum, greatest) = (sum + entropy, max(greatest, entropy))
                return sum - greatest <= bound
            }
            return Array(run)
        }
    }
}
