public import Torch

/// Tweedie's formula for each position: exact for one position given the scores (the paper's equation 19).
public struct AnalyticPredictor: Predictor {
    public static let name = "analytic"

    public init() {}

    public func weights(
        _ score: Score, _ rows: Rows, _ noise: ReverseNoise, _ graph: any TransitionGraph
    ) throws -> Tensor {
        try graph.analyticWeights(score, rows, sigmaStep: noise.sigmaStep)
    }

    public func rule(_ step: StepNoise, _ graph: any TransitionGraph) -> ReverseRule? {
        graph.analyticRule(sigmaStep: step.sigmaStep)
    }
}
