public import Torch

/// One position's Markov chain: what it moves to, where it ends, and what follows from both.
///
/// States are 0..<states. Rates are those of Q with total noise as time. Functions over rows take the log-scores or
/// scores of M chosen positions, [M, states].
public protocol TransitionGraph: LikelihoodTerms, Sendable {
    /// Tokens of the tokenizer, n.
    var tokens: Int { get }
    /// States of the chain, V: n, or n + 1 with MASK.
    var states: Int { get }
    /// The absorbing state, where there is one.
    var mask: Int? { get }

    /// The state of a position that held `token` after total noise `sigma`.
    ///
    /// - Parameter draw: gives independent numbers in (0, 1), numbered 0, 1, ...
    func corrupted(_ token: Int, sigma: Double, draw: (Int) -> Double) -> Int
    /// A state drawn from the law that the chain ends in.
    func limit(draw: (Int) -> Double) -> Int
    /// Whether a reverse step can move a position from `state`; only such positions carry loss.
    func canMove(from state: Int) -> Bool

    /// Score entropy of each row and, where asked for, its gradient with respect to the log-scores.
    ///
    /// - Parameters:
    ///   - logScore: [M, states].
    ///   - rows: current states and total noise of the rows.
    ///   - clean: the uncorrupted tokens x0; int64 [M].
    /// - Returns: nats without the rate, float64 [M], and float32 [M, states]. The gradient of the own entry is 0.
    func scoreEntropy(
        _ logScore: LogScore, _ rows: Rows, clean: Tensor, gradient: Bool
    ) throws -> (entropy: Tensor, gradient: Tensor?)

    /// Weights of the next state under one Euler step; [M, states], unclamped.
    ///
    /// - Parameter scale: step size times sigmaRate; float64 [M, 1].
    func eulerWeights(_ score: Score, _ rows: Rows, scale: Tensor) throws -> Tensor
    /// Weights of the next state under one analytic (Tweedie) step; [M, states], unclamped.
    ///
    /// - Parameter sigmaStep: sigma now minus sigma after the step; float64 [M, 1].
    func analyticWeights(_ score: Score, _ rows: Rows, sigmaStep: Tensor) throws -> Tensor

    /// The chain as the fused kernels of the loss know it; nil where only plain operators do.
    var chain: Kernels.Chain? { get }
    /// ``eulerWeights(_:_:scale:)`` of a position that can move, which are linear in its scores.
    func eulerRule(scale: Double) -> ReverseRule
    /// ``analyticWeights(_:_:sigmaStep:)`` of a position that can move, which are linear in its scores.
    func analyticRule(sigmaStep: Double) -> ReverseRule
}

extension TransitionGraph {
    public var chain: Kernels.Chain? { nil }

    /// Weights of the clean token: the analytic step over all the noise that is left, without MASK; [M, n], unclamped.
    func denoisingWeights(_ score: Score, _ rows: Rows) throws -> Tensor {
        let whole = try analyticWeights(score, rows, sigmaStep: rows.sigma)
        return mask == nil ? whole : try whole.narrowed(1, from: 0, length: tokens)
    }

    /// The same for a position that can move, from its scores at total noise `sigma`.
    public func denoisingRule(sigma: Double) -> ReverseRule {
        let whole = analyticRule(sigmaStep: sigma)
        return mask == nil ? whole : whole.leaving
    }
}
