import Foundation

/// Unnormalized probabilities ("weights") of a position's next state, as a function of its scores s_y = p(y) / p(x) at
/// every state y, where x is the current state.
///
/// Weights need not sum to 1, and negative weights count as 0.
public enum RowLaw: Sendable, Equatable {
    /// Linear in the scores; the law that the fused kernel draws from.
    case linear(ReverseRule)
    /// A tau-leap: rates r_y = scale s_y to every y other than the current state, with sum R; weights r_y (1 - e^-R) /
    /// R, and e^-R for staying.
    case leap(scale: Double)
    /// The second half of a trapezoidal step; see ``TrapezoidRule``.
    case trapezoid(TrapezoidRule)
    /// A mixture of the ancestral step with resampling; see ``PsiRule``.
    case psi(PsiRule)
}

/// Rates r_y = (later s_y - earlier s0_y)₊ to every y other than the current state x, where s0 are the scores of an
/// earlier evaluation, with ratio 1 at the position's state at that time; then a tau-leap with their sum.
public struct TrapezoidRule: Sendable, Equatable {
    var later, earlier: Double
    /// Whether both scores are first normalized to sum to 1 over the tokens: under absorption true scores do, up to a
    /// factor.
    var isNormalised: Bool
}

/// With weight `ancestral` the law of the analytic step; otherwise the token of the clean law with probability `kept`
/// and a uniform token with the rest.
public struct PsiRule: Sendable, Equatable {
    var ancestral: Double
    var step, clean: ReverseRule
    /// e^-sigma after the step.
    var kept: Double
}

extension RowLaw {
    /// The weights of every state, nonnegative: the definition against which the evaluator's tensor code is tested.
    ///
    /// - Parameters:
    ///   - score: one score per state; that of `own` is 1.
    ///   - mask: the absorbing state, if there is one.
    ///   - earlier: the scores of a kept evaluation.
    func weights(_ score: [Double], own: Int, mask: Int?, earlier: [Double]? = nil) -> [Double] {
        switch self {
        case .linear(let rule): return rule.weights(score, own: own).map { max(0, $0) }
        case .leap(let scale): return Self.leap(score.map { scale * $0 }, own: own)
        case .trapezoid(let rule):
            func scaled(_ score: [Double]) -> [Double] {
                guard rule.isNormalised else { return score }
                let tokens = score.indices.map { $0 == mask ? 0 : score[$0] }
                let total = tokens.reduce(0, +)
                return tokens.map { $0 / total }
            }
            let (now, before) = (scaled(score), scaled(earlier ?? score))
            return Self.leap(zip(now, before).map { max(0, rule.later * $0 - rule.earlier * $1) }, own: own)
        case .psi(let rule):
            func normal(_ rule: ReverseRule) -> [Double] {
                let weights = rule.weights(score, own: own).map { max(0, $0) }
                let total = weights.reduce(0, +)
                return weights.map { $0 / total }
            }
            let even = (1 - rule.kept) / Double(score.count)
            return zip(normal(rule.step), normal(rule.clean)).map {
                rule.ancestral * $0 + (1 - rule.ancestral) * (rule.kept * $1 + even)
            }
        }
    }

    private static func leap(_ rates: [Double], own: Int) -> [Double] {
        let total = rates.indices.reduce(0) { $1 == own ? $0 : $0 + rates[$1] }
        // (1 - e^-R) / R, which is 1 for R = 0.
        let share = total > 0 ? -expm1(-total) / total : 1
        return rates.indices.map { $0 == own ? exp(-total) : rates[$0] * share }
    }
}

extension DiffusionProcess {
    /// The probability of each clean token at a position that can move, from its scores at total noise `sigma`; one
    /// entry per state.
    func cleanLaw(_ score: [Double], own: Int, sigma: Double) -> [Double] {
        let weights = graph.denoisingRule(sigma: sigma).weights(score, own: own).enumerated().map {
            $0.offset == graph.mask ? 0 : max(0, $0.element)
        }
        let total = weights.reduce(0, +)
        return weights.map { $0 / total }
    }

    /// The scores that correspond to the filtered law of the clean token.
    ///
    /// Under absorption s_y = p(y) / (e^sigma - 1). Under the uniform chain p(x0) is divided by the transition
    /// probability K(x0, x) to the current state and noised again: s_y = sum_x0 (p(x0) / K(x0, x)) K(x0, y), divided by
    /// the same sum at x.
    func filtered(_ score: [Double], own: Int, sigma: Double, _ filter: TokenFilter) -> [Double] {
        guard !filter.isIdentity else { return score }
        let law = filter(cleanLaw(score, own: own, sigma: sigma))
        guard graph.mask == nil else { return law.indices.map { $0 == own ? 1 : law[$0] / expm1(sigma) } }
        let size = Double(graph.states)
        let (kept, moved) = (exp(-sigma), -expm1(-sigma) / size)
        let apart = law.indices.map { law[$0] / ($0 == own ? kept + moved : moved) }
        let spread = moved * apart.reduce(0, +)
        let here = kept * apart[own] + spread
        return apart.indices.map { $0 == own ? 1 : (kept * apart[$0] + spread) / here }
    }
}
