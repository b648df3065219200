import Foundation
public import Torch

/// The uniform chain (equation 15): every token moves to every token at rate 1/V, Q = 11ᵀ/V - I.
public struct UniformGraph: TransitionGraph {
    /// n, the number of tokens.
    public let tokens: Int
    /// V = n.
    public var states: Int { tokens }
    /// Nil: no state absorbs.
    public var mask: Int? { nil }

    /// - Parameter tokens: vocabulary size of the tokenizer; states and tokens coincide.
    public init(tokens: Int) {
        self.tokens = tokens
    }

    /// A uniform state, possibly `token` again, with probability 1 - e^-sigma; otherwise `token`.
    public func corrupted(_ token: Int, sigma: Double, draw: (Int) -> Double) -> Int {
        draw(0) < -expm1(-sigma) ? state(draw(1)) : token
    }

    /// A uniform state.
    public func limit(draw: (Int) -> Double) -> Int { state(draw(0)) }

    /// True of every state.
    public func canMove(from state: Int) -> Bool { true }

    private func state(_ uniform: Double) -> Int { min(Int(uniform * Double(states)), states - 1) }

    /// 1/V sum_{y != x} (s_y - r_y log s_y + K(r_y)), with e = expm1(sigma).
    ///
    /// At x = x0 every r_y is e / (e + V); otherwise r_{x0} is (e + V) / e and the others are 1. The terms of y = x0
    /// are computed as r (expm1(d) - d) with d = log s_{x0} - log r, which is accurate for s near r however large r is.
    public func scoreEntropy(
        _ logScore: LogScore, _ rows: Rows, clean: Tensor, gradient: Bool
    ) throws -> (entropy: Tensor, gradient: Tensor?) {
        let size = Double(states)
        let own = try rows.states.unsqueezed(1)  // [M, 1]
        let target = try clean.unsqueezed(1)  // [M, 1]
        let unmoved = try own.equals(target)  // [M, 1]
        let zero = try Tensor.zeros([], dtype: .float64, device: own.device)
        // log(e / (e + V)); the ratio is never computed as 1 - V / (e + V), which rounds to 0 for small sigma.
        let logLow = try logExpm1(rows.sigma) - (rows.sigma.expm1() + size).log()  // [M, 1]
        let logOrdinary = try unmoved.choose(logLow, zero)  // [M, 1]
        let ordinary = try logOrdinary.exp()  // [M, 1]

        // Ordinary y are neither x nor x0: V - 1 of them if x = x0, else V - 2.
        let scores = try logScore.tensor.exp().scattered(1, own, value: 0)  // [M, V]
        let ordinaryScores = try scores.scattered(1, target, value: 0).sum(1, keep: true).cast(to: .float64)
        let ordinaryLogs = try logScore.tensor.scattered(1, own, value: 0).scattered(1, target, value: 0)
            .sum(1, keep: true).cast(to: .float64)
        let count = try unmoved.cast(to: .float64) + (size - 2)  // [M, 1]
        let sum = try ordinaryScores - ordinary * ordinaryLogs + count * ordinary * (logOrdinary - 1)  // [M, 1]
        let excess = try logScore.tensor.gathered(1, target).cast(to: .float64) + logLow  // [M, 1]
        let high = try (-logLow).exp()  // [M, 1]
        let back = try unmoved.choose(zero, high * (excess.expm1() - excess))  // [M, 1]
        let entropy = try ((sum + back) * (1 / size)).reshaped([-1])  // [M]
        guard gradient else { return (entropy, nil) }
        let pull = try unmoved.choose(zero, high * excess.expm1())  // [M, 1]
        let scoreGradient = try (scores - ordinary.cast(to: .float32))
            .scattered(1, target, source: pull.cast(to: .float32)).scattered(1, own, value: 0)
        return (entropy, try scoreGradient * (1 / size))
    }

    /// y != x: dt sigmaRate s_y / V; the own entry is the remainder of 1.
    public func eulerWeights(_ score: Score, _ rows: Rows, scale: Tensor) throws -> Tensor {
        let own = try rows.states.unsqueezed(1)  // [M, 1]
        let moving = try (score.tensor * (scale * (1 / Double(states))).cast(to: .float32)).scattered(1, own, value: 0)
        return try moving.scattered(1, own, source: -(moving.sum(1, keep: true) - 1))
    }

    /// (s e^{step} - (e^{step} - 1) sum(s) / V) times the transition row of x.
    public func analyticWeights(_ score: Score, _ rows: Rows, sigmaStep: Tensor) throws -> Tensor {
        let size = Double(states)
        let own = try rows.states.unsqueezed(1)  // [M, 1]
        let grown = try sigmaStep.exp().cast(to: .float32)  // [M, 1]
        let spread = try (sigmaStep.expm1() * (1 / size)).cast(to: .float32)  // [M, 1]
        let staggered = try score.tensor * grown - spread * score.tensor.sum(1, keep: true)  // [M, V]
        let move = try -((-sigmaStep).expm1()) * (1 / size)  // [M, 1]
        let stay = try -(move * (size - 1) - 1)  // [M, 1]
        let row = try move.cast(to: .float32).expanded(score.tensor.shape)  // [M, V]
            .scattered(1, own, source: stay.cast(to: .float32))
        return try staggered * row
    }

    /// The fused kernels support the chain.
    public var kernelChain: Kernels.Chain? { .uniform }
    /// Slope scale / V on the scores of other states; the current state keeps the remainder of 1.
    public func eulerRule(scale: Double) -> ReverseRule { .remaining(slope: scale / Double(states)) }

    /// ``analyticWeights(_:_:sigmaStep:)`` with the current state's own score, which is 1, moved into the constants.
    public func analyticRule(sigmaStep: Double) -> ReverseRule {
        let size = Double(states)
        let (grown, spread) = (exp(sigmaStep), expm1(sigmaStep) / size)
        let move = -expm1(-sigmaStep) / size
        let stay = 1 - move * (size - 1)
        return ReverseRule(
            slope: move * grown, spread: -move * spread, rest: -move * spread, own: stay * (grown - spread),
            ownSpread: -stay * spread)
    }
}
