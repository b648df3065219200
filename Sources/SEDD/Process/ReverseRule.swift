/// Weights of the next state of a position that are linear in its scores, so that a reverse step and its draw can be one
/// pass: `slope` s_y + `spread` S + `rest` for every y other than the own state, `own` + `ownSpread` S for that one, S
/// being the sum of all scores but the own one.
public struct ReverseRule: Sendable, Equatable {
    public var slope: Double
    public var spread = 0.0
    public var rest = 0.0
    public var own: Double
    public var ownSpread: Double

    /// All but the own state take `slope` s_y, which keeps what is left of 1.
    public static func remaining(slope: Double) -> ReverseRule {
        ReverseRule(slope: slope, own: 1, ownSpread: -slope)
    }

    /// The same without the own state, which cannot be kept.
    var leaving: ReverseRule {
        var rule = self
        (rule.own, rule.ownSpread) = (0, 0)
        return rule
    }

    /// The weights of every state, unclamped.
    ///
    /// - Parameters:
    ///   - score: one for each state; that of `own` is not looked at.
    ///   - own: the state that the position is in.
    func weights(_ score: [Double], own: Int) -> [Double] {
        // Without the own one from the start: it may be larger than the others by more than a number has digits.
        let others = score.indices.reduce(0) { $1 == own ? $0 : $0 + score[$1] }
        return score.indices.map {
            $0 == own ? self.own + ownSpread * others : slope * score[$0] + spread * others + rest
        }
    }

    /// In the order that the kernel takes them.
    var numbers: [Double] { [slope, spread, rest, own, ownSpread] }
}
