public import Torch

/// The Markov chain of one position: its forward transitions, its limit, and the reverse steps and losses derived from
/// them.
///
/// States are 0..<states. Rates are those of Q with total noise as time. Functions over rows take the log-scores or
/// scores of M selected positions, [M, states].
public protocol TransitionGraph: LikelihoodTerms, Sendable {
    /// n, the vocabulary size of the tokenizer.
    var tokens: Int { get }
    /// States of the chain, V: n, or n + 1 with MASK.
    var states: Int { get }
    /// The absorbing state, if there is one.
    var mask: Int? { get }

    /// Draws the state at total noise `sigma` of a position that held `token`: the transition row of exp(sigma Q).
    ///
    /// - Parameter draw: returns independent uniform numbers in (0, 1), indexed 0, 1, ...
    func corrupted(_ token: Int, sigma: Double, draw: (Int) -> Double) -> Int
    /// Draws a state from the limiting distribution of the chain.
    func limit(draw: (Int) -> Double) -> Int
    /// Whether a reverse step can move a position away from `state`; only such positions carry loss.
    func canMove(from state: Int) -> Bool

    /// Score entropy of each row (definition 3.1) and, if requested, its gradient with respect to the log-scores.
    ///
    /// - Parameters:
    ///   - logScore: [M, states].
    ///   - rows: current states and total noise of the rows.
    ///   - clean: the uncorrupted tokens x0; int64 [M].
    /// - Returns: nats without the rate, float64 [M], and the gradient, float32 [M, states], whose own entry is 0.
    func scoreEntropy(
        _ logScore: LogScore, _ rows: Rows, clean: Tensor, gradient: Bool
    ) throws -> (entropy: Tensor, gradient: Tensor?)

    /// Weights of the next state in an Euler step; [M, states], unclamped.
    ///
    /// - Parameter scale: step size times sigmaRate; float64 [M, 1].
    func eulerWeights(_ score: Score, _ rows: Rows, scale: Tensor) throws -> Tensor
    /// Weights of the next state in an analytic (Tweedie) step, theorem 4.2; [M, states], unclamped.
    ///
    /// - Parameter sigmaStep: sigma now minus sigma after the step; float64 [M, 1].
    func analyticWeights(_ score: Score, _ rows: Rows, sigmaStep: Tensor) throws -> Tensor

    /// The identifier of the chain for the fused loss kernels; nil if only plain operators support it.
    var kernelChain: Kernels.Chain? { get }
    /// ``eulerWeights(_:_:scale:)`` at a position that can move, as a linear rule.
    func eulerRule(scale: Double) -> ReverseRule
    /// ``analyticWeights(_:_:sigmaStep:)`` at a position that can move, as a linear rule.
    func analyticRule(sigmaStep: Double) -> ReverseRule
}

extension TransitionGraph {
    /// None: the loss uses plain operators.
    public var kernelChain: Kernels.Chain? { nil }

    /// Weights of the clean token: the analytic step over all remaining noise, without MASK; [M, n], unclamped.
    func denoisingWeights(_ score: Score, _ rows: Rows) throws -> Tensor {
        let whole = try analyticWeights(score, rows, sigmaStep: rows.sigma)
        return mask == nil ? whole : try whole.narrowed(1, from: 0, length: tokens)
    }

    /// The same at a position that can move, at total noise `sigma`, as a linear rule.
    public func denoisingRule(sigma: Double) -> ReverseRule {
        let whole = analyticRule(sigmaStep: sigma)
        return mask == nil ? whole : whole.leaving
    }
}
