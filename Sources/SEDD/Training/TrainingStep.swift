import Torch

/// One optimizer step: loss and gradient of the learner, clip, AdamW, moving average.
struct TrainingStep: Sendable {
    struct Outcome: Sendable {
        /// Nats per token.
        let loss: Double
        /// Before clipping.
        let gradientNorm: Double
        /// Whether the weights were moved: not where the loss or the gradient is no number.
        let applied: Bool
    }

    private let training: TrainingConfiguration.Training
    private let length: Int
    private let learner: any Learner
    let optimizer: OptimizerStep

    init(_ configuration: TrainingConfiguration, learner: any Learner) {
        training = configuration.training
        length = configuration.model.length
        self.learner = learner
        optimizer = OptimizerStep(optim: configuration.optim, ema: configuration.training.ema)
    }

    init(_ configuration: TrainingConfiguration, network: ScoreNetwork) throws {
        self.init(configuration, learner: try ScoreLearner(configuration, network: network))
    }

    /// Takes `state` one step further.
    ///
    /// - Parameter window: the tokens of a sequence of this step, by its number.
    func callAsFunction(_ state: inout TrainingState, window: (_ sequence: Int) throws -> [Int]) throws -> Outcome {
        let next = state.step + 1
        try state.gradients.flat.zeroInPlace()
        let part = training.batchSize / training.accum
        var total = 0.0
        for first in stride(from: 0, to: training.batchSize, by: part) {
            let sequences = first..<first + part
            // The reference's loss: the mean over sequences of nats per sequence.
            total += try learner.accumulateGradients(
                sequences.flatMap(window), step: next, sequences: sequences, of: training.batchSize,
                scale: 1 / Double(training.batchSize), into: state.gradients
            ).reduce(0, +)
        }
        let mean = total / Double(training.batchSize * length)
        let norm = try Kernels.norm(state.gradients.flat)
        let sound = mean.isFinite && norm.isFinite
        if sound { try optimizer.apply(&state, gradientNorm: norm) }
        return Outcome(loss: mean, gradientNorm: norm, applied: sound)
    }
}
