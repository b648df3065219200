/// Which masked positions are revealed next, as a function of the current state and (for `random`) of chance.
///
/// Positions are chosen before their tokens are drawn, so the law stays exact whatever the choice depends on. Drawing
/// all tokens and keeping the likeliest, as MaskGIT and LLaDA do, would sharpen it.
enum RevealOrder: Sendable, Equatable {
    /// Highest probability of the most probable token.
    case confidence
    /// Largest margin between the two most probable tokens (arXiv 2502.06768).
    case margin
    /// Lowest entropy.
    case entropy
    /// Uniformly random.
    case random
    case leftToRight
    /// In order of entropy, the longest run whose sum of entropies without the largest is at most the bound, in nats:
    /// an upper bound on the mutual dependence of its positions (arXiv 2505.24857). At least one.
    case entropyBound(Double)

    /// Whether it requires the laws of all masked positions.
    var needsShapes: Bool { self != .random && self != .leftToRight }

    /// Whether a state always leads to the same positions, so that there is one way to generate a text.
    var isDeterministic: Bool { self != .random }

    /// Tolerance for ties: when everything is masked, all positions have the same law, and rounding must not decide.
    private static let tolerance = 1e-5

    /// Indices of `values` in ascending order; ties within the tolerance keep the order of positions.
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

    /// Indices into `open` of the chosen positions; ties go to the first.
    ///
    /// - Parameters:
    ///   - shapes: shapes of the laws at the open positions, if ``needsShapes``.
    ///   - count: number of positions; the entropy bound determines its own.
    ///   - choice: draws one of a given number of equally likely integers; calls are numbered.
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
