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

    /// In the order that the kernel takes them.
    var numbers: [Double] { [slope, spread, rest, own, ownSpread] }
}
