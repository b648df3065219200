import Foundation
public import Torch

/// The absorbing chain (equation 16): every token moves to MASK at rate 1 and stays there.
public struct AbsorbingGraph: TransitionGraph {
    /// n, the number of tokens.
    public let tokens: Int
    /// n + 1, including MASK.
    public var states: Int { tokens + 1 }
    /// MASK, the state after the last token.
    public var mask: Int? { tokens }

    /// - Parameter tokens: vocabulary size of the tokenizer; MASK is the state after the last token.
    public init(tokens: Int) {
        self.tokens = tokens
    }

    /// MASK with probability 1 - e^-sigma, otherwise `token`.
    public func corrupted(_ token: Int, sigma: Double, draw: (Int) -> Double) -> Int {
        draw(0) < -expm1(-sigma) ? tokens : token
    }

    /// MASK.
    public func limit(draw: (Int) -> Double) -> Int { tokens }

    /// True of MASK alone: revealed tokens stay.
    public func canMove(from state: Int) -> Bool { state == tokens }

    /// At a masked position sum_{y != MASK} s_y - r log s_{x0} + K(r) with r = 1 / expm1(sigma) and K(a) = a (log a -
    /// 1); elsewhere 0.
    ///
    /// The terms of y = x0 are computed as r (expm1(d) - d) with d = log s_{x0} - log r, which is accurate for s near r
    /// however large r is; the remaining terms are positive.
    public func scoreEntropy(
        _ logScore: LogScore, _ rows: Rows, clean: Tensor, gradient: Bool
    ) throws -> (entropy: Tensor, gradient: Tensor?) {
        let target = try clean.unsqueezed(1)  // [M, 1]
        let masked = try rows.states.equals(Double(tokens))  // [M]
        let tokenScores = try logScore.tensor.narrowed(1, from: 0, length: tokens)  // [M, n]
        let scores = try tokenScores.exp()  // [M, n]
        let logRatio = try -logExpm1(rows.sigma)  // [M, 1]
        let ratio = try logRatio.exp()  // [M, 1]
        let others = try scores.scattered(1, target, value: 0).sum(1, keep: true).cast(to: .float64)  // [M, 1]
        let excess = try tokenScores.gathered(1, target).cast(to: .float64) - logRatio  // [M, 1]
        let entropy = try (others + ratio * (excess.expm1() - excess)).reshaped([-1])  // [M]
        let zero = try Tensor.zeros([], dtype: .float64, device: entropy.device)
        let own = try masked.choose(entropy, zero)  // [M]
        guard gradient else { return (own, nil) }
        let pull = try ratio * excess.expm1()  // [M, 1]
        let scoreGradient = try scores.scattered(1, target, source: pull.cast(to: .float32))  // [M, n]
        let column = try Tensor.zeros([scoreGradient.shape[0], 1], device: scoreGradient.device)
        let full = try Tensor.concatenated([scoreGradient, column], dimension: 1)  // [M, V]
        return (own, try full * masked.cast(to: .float32).unsqueezed(1))
    }

    /// y != MASK from MASK: dt sigmaRate s_y; an unmasked position stays.
    public func eulerWeights(_ score: Score, _ rows: Rows, scale: Tensor) throws -> Tensor {
        try unmasking(score, rows, factor: scale)
    }

    /// y != MASK from MASK: (e^{sigmaStep} - 1) s_y; an unmasked position stays.
    public func analyticWeights(_ score: Score, _ rows: Rows, sigmaStep: Tensor) throws -> Tensor {
        try unmasking(score, rows, factor: sigmaStep.expm1())
    }

    /// The fused kernels support the chain.
    public var kernelChain: Kernels.Chain? { .absorbing }
    /// Slope `scale` on every score; MASK keeps the remainder of 1.
    public func eulerRule(scale: Double) -> ReverseRule { .remaining(slope: scale) }
    /// Slope e^sigmaStep - 1 on every score; MASK keeps the remainder of 1.
    public func analyticRule(sigmaStep: Double) -> ReverseRule { .remaining(slope: expm1(sigmaStep)) }

    /// A masked position takes y with weight factor s_y and stays with the remainder of 1.
    private func unmasking(_ score: Score, _ rows: Rows, factor: Tensor) throws -> Tensor {
        let taken = try score.tensor.narrowed(1, from: 0, length: tokens) * factor.cast(to: .float32)  // [M, n]
        let left = try -(taken.sum(1, keep: true) - 1)  // [M, 1]
        let masked = try Tensor.concatenated([taken, left], dimension: 1)  // [M, V]
        let own = try rows.states.unsqueezed(1)  // [M, 1]
        let staying = try Tensor.zeros(masked.shape, device: masked.device).scattered(1, own, value: 1)  // [M, V]
        return try own.equals(Double(tokens)).choose(masked, staying)
    }
}

/// log(e^x - 1) = x + log(1 - e^-x), accurate for small and for large x.
func logExpm1(_ x: Double) -> Double { x + log(-expm1(-x)) }

/// The same, elementwise.
///
/// - Parameter x: positive, any shape, float64.
func logExpm1(_ x: Tensor) throws -> Tensor {
    try x + (-((-x).expm1())).log()
}
