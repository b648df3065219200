import Torch

/// One optimizer step: corrupt, forward, backward, clip, AdamW, moving average.
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
    private let dropout: Double
    private let loss: ScoreEntropyLoss
    private let noising: Noising
    let optimizer: OptimizerStep

    init(_ configuration: TrainingConfiguration, network: ScoreNetwork) throws {
        training = configuration.training
        length = configuration.model.length
        dropout = configuration.model.dropout
        let graph = network.configuration.makeGraph()
        loss = ScoreEntropyLoss(network: network, graph: graph)
        noising = Noising(
            graph: graph, noise: try network.configuration.makeNoise(), seed: training.seed,
            smallestTime: training.smallestTime)
        optimizer = OptimizerStep(optim: configuration.optim, ema: configuration.training.ema)
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
            let times = noising.times(step: next, strata: sequences, of: training.batchSize)
            let batch = noising.batch(
                try sequences.flatMap(window), length: length, times: times, step: next, firstSequence: first)
            let dropped = Dropout(share: dropout, seed: training.seed, step: next, sequences: Array(sequences))
            // The reference's loss: the mean over sequences of nats per sequence.
            total += try loss.accumulateGradients(
                batch, scale: 1 / Double(training.batchSize), dropout: dropped, into: state.gradients
            ).reduce(0, +)
        }
        let mean = total / Double(training.batchSize * length)
        let norm = try state.gradients.flat.norm().item()
        let sound = mean.isFinite && norm.isFinite
        if sound { try optimizer.apply(&state, gradientNorm: norm) }
        return Outcome(loss: mean, gradientNorm: norm, applied: sound)
    }
}
