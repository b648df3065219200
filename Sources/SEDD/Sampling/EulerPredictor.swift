public import Torch

/// Euler's method: y is taken with dt times the reverse rate, and the rest stays (the paper's tau-leaping).
public struct EulerPredictor: Predictor {
    public static let name = "euler"

    public init() {}

    public func weights(
        _ score: Score, _ rows: Rows, _ noise: ReverseNoise, _ graph: any TransitionGraph
    ) throws -> Tensor {
        try graph.eulerWeights(score, rows, scale: noise.rateTimesStep)
    }

    public func rule(_ step: StepNoise, _ graph: any TransitionGraph) -> ReverseRule? {
        graph.eulerRule(scale: step.rateTimesStep)
    }
}
