import Torch

/// The last step, from the smallest time to 0: the analytic step over all the noise that is left, without MASK.
struct Denoiser: Sendable {
    /// Weights of the final token; [M, n], unclamped.
    func weights(_ score: Score, _ rows: Rows, _ graph: any TransitionGraph) throws -> Tensor {
        let whole = try graph.analyticWeights(score, rows, sigmaStep: rows.sigma)
        return graph.mask == nil ? whole : try whole.narrowed(1, from: 0, length: graph.tokens)
    }
}
