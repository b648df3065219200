import Foundation
public import Torch

/// Every token moves to every token at rate 1/V: Q = 11ᵀ/V - I.
public struct UniformGraph: TransitionGraph {
    public let tokens: Int
    public var states: Int { tokens }
    public var mask: Int? { nil }

    /// - Parameter tokens: tokens of the tokenizer, which are the states.
    public init(tokens: Int) {
        self.tokens = tokens
    }

    public func corrupted(_ token: Int, sigma: Double, draw: (Int) -> Double) -> Int {
        draw(0) < -expm1(-sigma) ? state(draw(1)) : token
    }

    public func limit(draw: (Int) -> Double) -> Int { state(draw(0)) }

    public func canMove(from state: Int) -> Bool { true }

    private func state(_ uniform: Double) -> Int { min(Int(uniform * Double(states)), states - 1) }

    /// 1/V sum_{y != x} (s_y - r_y log s_y + K(r_y)), with e = expm1(sigma).
    ///
    /// At x = x0 every r_y is e / (e + V); else r_{x0} is (e + V) / e and the others are 1. The terms of y = x0 are
    /// r (expm1(d) - d) with d = log s_{x0} - log r, which is exact where s is near r however large r is.
    public func scoreEntropy(
        _ logScore: LogScore, _ rows: Rows, clean: Tensor, gradient: Bool
    ) throws -> (entropy: Tensor, gradient: Tensor?) {
        let size = Double(states)
        let own = try rows.states.unsqueezed(1)
        let target = try clean.unsqueezed(1)
        let unmoved = try own.equals(target)
        let zero = try Tensor.zeros([], dtype: .float64, device: own.device)
        // log(e / (e + V)); the ratio itself is never formed as 1 - V / (e + V), which is 0 for small sigma.
        let logLow = try logExpm1(rows.sigma) - (rows.sigma.expm1() + size).log()
        let logOrdinary = try unmoved.choose(logLow, zero)
        let ordinary = try logOrdinary.exp()

        // The ordinary y are neither x nor x0: V - 1 of them where x = x0, else V - 2.
        let scores = try logScore.tensor.exp().scattered(1, own, value: 0)
        let ordinaryScores = try scores.scattered(1, target, value: 0).sum(1, keep: true).cast(to: .float64)
        let ordinaryLogs = try logScore.tensor.scattered(1, own, value: 0).scattered(1, target, value: 0)
            .sum(1, keep: true).cast(to: .float64)
        let count = try unmoved.cast(to: .float64) + (size - 2)
        let sum = try ordinaryScores - ordinary * ordinaryLogs + count * ordinary * (logOrdinary - 1)
        let excess = try logScore.tensor.gathered(1, target).cast(to: .float64) + logLow
        let high = try (-logLow).exp()
        let back = try unmoved.choose(zero, high * (excess.expm1() - excess))
        let entropy = try ((sum + back) * (1 / size)).reshaped([-1])
        guard gradient else { return (entropy, nil) }
        let pull = try unmoved.choose(zero, high * excess.expm1())
        let pulled = try (scores - ordinary.cast(to: .float32))
            .scattered(1, target, source: pull.cast(to: .float32)).scattered(1, own, value: 0)
        return (entropy, try pulled * (1 / size))
    }

    /// y != x: dt sigmaRate s_y / V; the own entry is what is left of 1.
    public func eulerWeights(_ score: Score, _ rows: Rows, scale: Tensor) throws -> Tensor {
        let own = try rows.states.unsqueezed(1)
        let moving = try (score.tensor * (scale * (1 / Double(states))).cast(to: .float32)).scattered(1, own, value: 0)
        return try moving.scattered(1, own, source: -(moving.sum(1, keep: true) - 1))
    }

    /// (s e^{step} - (e^{step} - 1) sum(s) / V) times the transition row of x.
    public func analyticWeights(_ score: Score, _ rows: Rows, sigmaStep: Tensor) throws -> Tensor {
        let size = Double(states)
        let own = try rows.states.unsqueezed(1)
        let grown = try sigmaStep.exp().cast(to: .float32)
        let spread = try (sigmaStep.expm1() * (1 / size)).cast(to: .float32)
        let staggered = try score.tensor * grown - spread * score.tensor.sum(1, keep: true)
        let move = try -((-sigmaStep).expm1()) * (1 / size)
        let stay = try -(move * (size - 1) - 1)
        let row = try move.cast(to: .float32).expanded(score.tensor.shape)
            .scattered(1, own, source: stay.cast(to: .float32))
        return try staggered * row
    }

    public var chain: Kernels.Chain? { .uniform }
    public func eulerRule(scale: Double) -> ReverseRule { .remaining(slope: scale / Double(states)) }

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
