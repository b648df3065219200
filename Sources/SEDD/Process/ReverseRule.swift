/// Weights of a position's next state that are linear in its scores, so that a reverse step and its draw take one pass:
/// `slope` s_y + `spread` S + `rest` for every y other than the current state, and `own` + `ownSpread` S for the
/// current state, where S is the sum of all scores but the current state's.
public struct ReverseRule: Sendable, Equatable {
    /// Factor on s_y.
    public var slope: Double
    /// Factor on S, for states other than the current one.
    public var spread = 0.0
    /// Constant, for states other than the current one.
    public var rest = 0.0
    /// Constant, for the current state.
    public var own: Double
    /// Factor on S, for the current state.
    public var ownSpread: Double

    /// Every other state gets `slope` s_y, and the current state the remainder of 1.
    public static func remaining(slope: Double) -> ReverseRule {
        ReverseRule(slope: slope, own: 1, ownSpread: -slope)
    }

    /// The same without the current state, which cannot be kept.
    var leaving: ReverseRule {
        var rule = self
        (rule.own, rule.ownSpread) = (0, 0)
        return rule
    }

    /// The weights of every state, unclamped.
    ///
    /// - Parameters:
    ///   - score: one score per state; that of `own` is ignored.
    ///   - own: the current state of the position.
    func weights(_ score: [Double], own: Int) -> [Double] {
        // The own entry is excluded from the start: it may exceed the others by more than float precision.
        let others = score.indices.reduce(0) { $1 == own ? $0 : $0 + score[$1] }
        return score.indices.map {
            $0 == own ? self.own + ownSpread * others : slope * score[$0] + spread * others + rest
        }
    }

    /// The coefficients in the order in which the kernel expects them.
    var numbers: [Double] { [slope, spread, rest, own, ownSpread] }
}
