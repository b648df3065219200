import Foundation
public import Torch

/// What the likelihood bound requires of a chain besides the score entropy: the prior term and the reconstruction term.
public protocol LikelihoodTerms {
    /// KL(p_{t|0} || base) of one position at total noise `sigma`, nats; finite for every sigma.
    func priorDivergence(sigma: Double) -> Double
    /// The probability that a position no longer holds its token at total noise `sigma`.
    func displacement(sigma: Double) -> Double
    /// A state other than `token`, drawn from the forward process given that the position has moved.
    ///
    /// - Parameter draw: returns independent uniform numbers in (0, 1), indexed 0, 1, ...
    func displaced(_ token: Int, draw: (Int) -> Double) -> Int
    /// -log of the probability that the final denoising assigns to each clean token, nats; float64 [M].
    func reconstruction(_ logScore: LogScore, _ rows: Rows, clean: Tensor) throws -> Tensor
}

extension AbsorbingGraph {
    /// e^-sigma log n: the base holds a uniform token with probability e^-sigma and MASK otherwise.
    ///
    /// Against a base of MASK alone the divergence would be infinite for any positive unmasked fraction (arXiv
    /// 2406.04329, appendix E).
    public func priorDivergence(sigma: Double) -> Double { exp(-sigma) * log(Double(tokens)) }

    /// 1 - e^-sigma, the masked fraction.
    public func displacement(sigma: Double) -> Double { -expm1(-sigma) }

    /// MASK.
    public func displaced(_ token: Int, draw: (Int) -> Double) -> Int { tokens }

    /// At a masked position -log(s_{x0} / sum_{y != MASK} s_y); elsewhere 0.
    public func reconstruction(_ logScore: LogScore, _ rows: Rows, clean: Tensor) throws -> Tensor {
        let scores = try logScore.tensor.narrowed(1, from: 0, length: tokens).cast(to: .float64)  // [M, n]
        let nats = try (scores - scores.gathered(1, clean.unsqueezed(1))).exp().sum(1).log()  // [M]
        let zero = try Tensor.zeros([], dtype: .float64, device: nats.device)
        return try rows.states.equals(Double(tokens)).choose(nats, zero)
    }
}

extension UniformGraph {
    /// KL of the transition row from the uniform law: V p_stay = 1 + (V - 1) e^-sigma, V p_move = 1 - e^-sigma.
    public func priorDivergence(sigma: Double) -> Double {
        let (size, kept) = (Double(states), exp(-sigma))
        let stay = (1 + (size - 1) * kept) / size * log1p((size - 1) * kept)
        let gone = -expm1(-sigma)
        let move = gone / size
        // Near complete noise the two terms cancel to rounding; without noise, 0 log 0 is 0.
        return max(0, stay + (gone > 0 ? (size - 1) * move * log(gone) : 0))
    }

    /// (1 - e^-sigma) (V - 1) / V: a transition may return to the same token.
    public func displacement(sigma: Double) -> Double { -expm1(-sigma) * Double(states - 1) / Double(states) }

    /// Uniform over the V - 1 other states; `token` itself if it is the only state.
    public func displaced(_ token: Int, draw: (Int) -> Double) -> Int {
        guard states > 1 else { return token }
        return (token + 1 + min(Int(draw(0) * Double(states - 1)), states - 2)) % states
    }

    /// The probability mass that the last step spreads evenly over the tokens. A clamped weight of 0 would otherwise
    /// make the term infinite; this bounds it by log(V / share) and takes one millionth of all other probabilities.
    static let evenShare = 1e-6

    /// -log((1 - share) w_{x0} / sum w + share / V), where w are the analytic weights over all remaining noise, clamped
    /// at 0.
    ///
    /// The weights are computed in float64 and divided by e^sigma, so that no noise level overflows.
    public func reconstruction(_ logScore: LogScore, _ rows: Rows, clean: Tensor) throws -> Tensor {
        let size = Double(states)
        let score = try logScore.tensor.cast(to: .float64).exp()  // [M, V]
        let move = try -((-rows.sigma).expm1()) * (1 / size)  // [M, 1]
        let stay = try -(move * (size - 1) - 1)  // [M, 1]
        let row = try move.expanded(score.shape).scattered(1, rows.states.unsqueezed(1), source: stay)  // [M, V]
        let weights = try ((score - move * score.sum(1, keep: true)) * row).clamped(minimum: 0)  // [M, V]
        let own = try weights.gathered(1, clean.unsqueezed(1)).reshaped([-1])  // [M]
        // If all weights are clamped to 0, only the even share remains.
        let total = try weights.sum(1).clamped(minimum: .leastNormalMagnitude)  // [M]
        return try -((own / total * (1 - Self.evenShare) + Self.evenShare / size).log())
    }
}
