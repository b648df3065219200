import Foundation
import Torch

/// What a trainer requires of a kind of model: a loss with its gradient, validation, and saving as a model folder.
///
/// Everything else of a run (windows of text, the optimizer, averages, checkpoints, logs) is the same for all kinds.
protocol Learner: Sendable {
    /// The weights updated by the optimizer.
    var weights: Weights { get }
    /// The loss of each sequence of a part of a step; adds the gradient of `scale` times their weighted sum to
    /// `gradients`, which are also the gradients of ``weights``. A function of the weights, the tokens and the part.
    ///
    /// - Parameter clean: tokens of the part, in row-major order.
    func accumulateGradients(
        _ clean: [Int], of part: StepPart, scale: Double, into gradients: Weights
    ) throws -> [SequenceLoss]
    /// A learner with the same weights that can run concurrently with this one; it collects gradients in `gradients`.
    func companion(collectingIn gradients: Weights) throws -> any Learner
    /// A model that shares `weights`.
    func model(_ weights: Weights) throws -> LanguageModel
    /// Nats per token of each held-out block; a function of the block and its number.
    ///
    /// - Parameter blocks: whole groups of ``validationGroup`` consecutive blocks, except for the last: rounding depends on what is
    ///   evaluated in one batch.
    func validate(_ model: LanguageModel, on blocks: [(number: Int, tokens: [Int])]) throws -> [Double]
    /// Number of blocks that fill whole batches.
    var validationGroup: Int { get }
    /// Writes `weights` as a model folder.
    func save(_ weights: Weights, to folder: URL) throws
}

/// A part of a step's batch.
struct StepPart: Sendable {
    /// Counted from 1.
    let step: Int
    /// Indices of its sequences among the `count` sequences of the step.
    let sequences: Range<Int>
    let count: Int
    /// The density of times; nil for the uniform one.
    var times: TimeTable?
}

/// The loss of one sequence in a step.
struct SequenceLoss: Sendable, Equatable {
    /// Nats, unweighted.
    let nats: Double
    /// Factor on the gradient of this sequence.
    var weight = 1.0
    /// The sequence's time, if the loss depends on one, and the density there relative to uniform times.
    var time: Double?
    var density = 1.0
}

/// Learns scores from noised text.
struct ScoreLearner: Learner {
    private let configuration: TrainingConfiguration
    private let network: ScoreNetwork
    private let loss: ScoreEntropyLoss
    private let noising: Noising

    init(_ configuration: TrainingConfiguration, network: ScoreNetwork) throws {
        self.configuration = configuration
        self.network = network
        let graph = network.configuration.makeGraph()
        loss = ScoreEntropyLoss(network: network, graph: graph)
        noising = Noising(
            graph: graph, noise: try network.configuration.makeNoise(), seed: configuration.training.seed,
            smallestTime: configuration.training.smallestTime, pairs: configuration.training.complementary)
    }

    var weights: Weights { network.weights }

    func accumulateGradients(
        _ clean: [Int], of part: StepPart, scale: Double, into gradients: Weights
    ) throws -> [SequenceLoss] {
        let times = noising.times(step: part.step, strata: part.sequences, of: part.count, from: part.times)
        let batch = noising.batch(
            clean, length: configuration.model.length, times: times, step: part.step,
            firstSequence: part.sequences.lowerBound)
        let dropped = Dropout(
            share: configuration.model.dropout, seed: configuration.training.seed, step: part.step,
            sequences: Array(part.sequences))
        let densities = times.map { part.times?.density($0) ?? 1 }
        let weights = zip(times, densities).map(configuration.training.weight)
        let losses = try loss.accumulateGradients(
            batch, scale: scale, weights: weights, dropout: dropped, into: gradients)
        return losses.indices.map {
            .init(nats: losses[$0], weight: weights[$0], time: times[$0], density: densities[$0])
        }
    }

    func companion(collectingIn gradients: Weights) throws -> any Learner {
        let weights = try weights.sharing(collectingIn: gradients)
        return try ScoreLearner(configuration, network: ScoreNetwork(network.configuration, weights))
    }

    func model(_ weights: Weights) throws -> LanguageModel {
        .diffusion(try ScoreNetwork(network.configuration, weights))
    }

    func validate(_ model: LanguageModel, on blocks: [(number: Int, tokens: [Int])]) throws -> [Double] {
        let length = configuration.model.length
        return try DiffusionTerm(
            network: model.diffusion(), timesPerBlock: configuration.training.evalTimes,
            seed: configuration.training.seed
        ).nats(blocks, tokensPerBatch: Self.tokensAtOnce).map { $0 / Double(length) }
    }

    var validationGroup: Int {
        DiffusionTerm.blocksAtOnce(
            tokens: Self.tokensAtOnce, length: configuration.model.length, times: configuration.training.evalTimes,
            device: network.device)
    }

    private static let tokensAtOnce = 4096

    func save(_ weights: Weights, to folder: URL) throws {
        try ModelFolder.save(network.configuration, weights, to: folder)
    }
}

/// Learns the next token.
struct NextTokenLearner: Learner {
    private let configuration: TrainingConfiguration
    private let network: AutoregressiveNetwork
    private let loss: NextTokenLoss

    init(_ configuration: TrainingConfiguration, network: AutoregressiveNetwork) {
        self.configuration = configuration
        self.network = network
        loss = NextTokenLoss(network: network)
    }

    var weights: Weights { network.weights }

    func accumulateGradients(
        _ clean: [Int], of part: StepPart, scale: Double, into gradients: Weights
    ) throws -> [SequenceLoss] {
        let length = configuration.model.length
        let dropped = Dropout(
            share: configuration.model.dropout, seed: configuration.training.seed, step: part.step,
            sequences: Array(part.sequences))
        return try loss.accumulateGradients(
            stride(from: 0, to: clean.count, by: length).map { Array(clean[$0..<($0 + length)]) }, scale: scale,
            dropout: dropped, into: gradients
        ).map { SequenceLoss(nats: $0) }
    }

    func companion(collectingIn gradients: Weights) throws -> any Learner {
        let weights = try weights.sharing(collectingIn: gradients)
        return NextTokenLearner(configuration, network: try AutoregressiveNetwork(network.configuration, weights))
    }

    func model(_ weights: Weights) throws -> LanguageModel {
        .autoregressive(try AutoregressiveNetwork(network.configuration, weights))
    }

    func validate(_ model: LanguageModel, on blocks: [(number: Int, tokens: [Int])]) throws -> [Double] {
        let loss = NextTokenLoss(network: try model.autoregressive())
        return try stride(from: 0, to: blocks.count, by: validationGroup).flatMap { start in
            try loss.nats(blocks[start..<min(start + validationGroup, blocks.count)].map(\.tokens)).map {
                $0.reduce(0, +) / Double($0.count)
            }
        }
    }

    var validationGroup: Int { max(1, 4096 / configuration.model.length) }

    func save(_ weights: Weights, to folder: URL) throws {
        try AutoregressiveFolder.save(network.configuration, weights, to: folder)
    }
}
