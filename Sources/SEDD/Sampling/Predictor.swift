import Files
public import Torch

/// What a reverse step from t to t - dt knows of the noise, for one sequence.
public struct StepNoise: Sendable {
    /// dt times sigmaRate(t).
    public let rateTimesStep: Double
    /// sigma(t) - sigma(t - dt).
    public let sigmaStep: Double
}

/// The same for the rows of many sequences, one entry a row.
public struct ReverseNoise: Sendable {
    /// dt times sigmaRate(t); float64 [M, 1].
    public let rateTimesStep: Tensor
    /// sigma(t) - sigma(t - dt); float64 [M, 1].
    public let sigmaStep: Tensor
}

/// A rule for one reverse step: from the score of a position to the weights of its next state.
public protocol Predictor: Sendable {
    /// The name that commands and reports use.
    static var name: String { get }
    init()
    /// Weights of the next state; [M, V]. Some may be negative: whoever draws clamps and renormalises.
    func weights(
        _ score: Score, _ rows: Rows, _ noise: ReverseNoise, _ graph: any TransitionGraph
    ) throws -> Tensor
    /// The same weights of a position that can move, where they are linear in the scores and can be drawn from in one
    /// pass over the logits; else nil, which is the default.
    func rule(_ step: StepNoise, _ graph: any TransitionGraph) -> ReverseRule?
}

extension Predictor {
    public func rule(_ step: StepNoise, _ graph: any TransitionGraph) -> ReverseRule? { nil }
}

/// The predictors that can be named.
public enum Predictors {
    static let all: [any Predictor.Type] = [AnalyticPredictor.self, EulerPredictor.self]

    /// What ``named(_:)`` knows, the default first.
    public static var names: [String] { all.map { $0.name } }

    /// The predictor called `name`.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` that lists the known names.
    public static func named(_ name: String) throws(SEDDError) -> any Predictor {
        guard let found = all.first(where: { $0.name == name }) else {
            throw SEDDError(.usage, "sampler '\(name)' is unknown; expected \(names.joined(separator: " or "))")
        }
        return found.init()
    }
}
