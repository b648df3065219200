import Torch

/// The last step, from the smallest time to 0: the analytic step over all the noise that is left, without MASK.
struct Denoiser: Sendable {
    /// Weights of the final token; [M, n], unclamped.
    func weights(_ score: Score, _ rows: Rows, _ graph: any TransitionGraph) throws -> Tensor {
        let whole = try graph.analyticWeights(score, rows, sigmaStep: rows.sigma)
        return graph.mask == nil ? whole : try whole.narrowed(1, from: 0, length: graph.tokens)
    }

    /// The same for a position that can move, where it is linear in the scores.
    func rule(sigma: Double, _ graph: any TransitionGraph) -> ReverseRule? {
        let whole = graph.analyticRule(sigmaStep: sigma)
        return graph.mask == nil ? whole : whole?.leaving
    }
}
