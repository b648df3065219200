import Torch

/// One optimizer step: loss and gradient of the learner, clip, AdamW, moving average.
struct TrainingStep: Sendable {
    struct Outcome: Sendable {
        /// The minimized loss: the mean of the weighted losses, nats per token.
        let loss: Double
        /// An estimate of the likelihood bound's first term, nats per token, if the loss differs from it: the same
        /// losses, each divided only by the density of its time. Nil if the density excludes some times, or if the loss
        /// is that estimate.
        let bound: Double?
        /// Gradient norm before clipping.
        let gradientNorm: Double
        /// Whether the weights were updated: false if the loss or the gradient is not finite.
        let applied: Bool
        /// Whether any process has been asked to stop.
        let stops: Bool
    }

    private let training: TrainingConfiguration.Training
    private let length: Int
    private let learner: any Learner
    /// The density of times, unless it is fitted.
    private let times: TimeTable?
    let optimizer: OptimizerStep
    private let exchange: StepExchange
    /// Nil if gradients are summed sequence by sequence.
    private let lanes: StepLanes?
    /// The sequences of a step that this process evaluates.
    private let share: Range<Int>

    init(
        _ configuration: TrainingConfiguration, learner: any Learner, team: Team = .alone, sums: GradientSums = .init()
    ) throws {
        exchange = StepExchange(team: team, sums: sums)
        share = team.share(
            of: configuration.training.batchSize, unit: configuration.training.sequencesTogether)
        training = configuration.training
        length = configuration.model.length
        self.learner = learner
        optimizer = OptimizerStep(configuration)
        times = TimeTable(configuration.training.timeDensity, smallestTime: configuration.training.smallestTime)
        lanes =
            try sums.inOrder
            ? nil
            : StepLanes(
                learner, sequences: share, unit: configuration.training.sequencesTogether,
                part: configuration.training.batchSize / configuration.training.accum)
    }

    init(_ configuration: TrainingConfiguration, network: ScoreNetwork) throws {
        try self.init(configuration, learner: ScoreLearner(configuration, network: network))
    }

    /// Advances `state` by one step.
    ///
    /// - Parameters:
    ///   - stops: whether this process has been asked to stop.
    ///   - window: the tokens of a sequence of this step, by its number.
    func callAsFunction(
        _ state: inout TrainingState, stops: () -> Bool = { false }, window: (_ sequence: Int) throws -> [Int]
    ) throws -> Outcome {
        let next = state.step + 1
        let isFitted = training.timeDensity.type == .fitted
        let work = StepLanes.Work(
            step: next, count: training.batchSize,
            times: isFitted ? state.times.table(smallestTime: training.smallestTime) : times,
            // The reference's loss: the mean over sequences of nats per sequence.
            scale: 1 / Double(training.batchSize))
        let windows = try share.map(window)
        let own =
            try lanes?.evaluate(work, windows, into: state.gradients)
            ?? evaluateInOrder(work, windows, into: state.gradients)
        let whole = try exchange(
            .init(step: next, count: training.batchSize, own: share, losses: own, stops: stops()),
            gradients: state.gradients.flat)
        let losses = whole.losses
        let tokens = Double(training.batchSize * length)
        let mean = losses.reduce(0) { $0 + $1.weight * $1.nats } / tokens
        let isEstimate = training.isBound || training.timeDensity.type == .window
        let bound = isEstimate ? nil : losses.reduce(0) { $0 + $1.nats / $1.density } / tokens
        try state.dropFrozenGradients()
        let norm = try Kernels.norm(state.gradients.flat)
        let sound = mean.isFinite && norm.isFinite
        if sound {
            try optimizer.apply(&state, gradientNorm: norm)
            if isFitted { profile(losses, &state) }
        }
        return Outcome(loss: mean, bound: bound, gradientNorm: norm, applied: sound, stops: whole.stops)
    }

    /// Evaluates sequences one by one, and sums their gradients in the order of their numbers over all processes.
    private func evaluateInOrder(
        _ work: StepLanes.Work, _ tokens: [[Int]], into gradients: Weights
    ) throws -> [SequenceLoss] {
        var losses: [SequenceLoss] = []
        var apart: [Tensor] = []
        for first in stride(from: share.lowerBound, to: share.upperBound, by: training.sequencesTogether) {
            let sequences = first..<min(first + training.sequencesTogether, share.upperBound)
            try gradients.flat.zeroInPlace()
            losses += try learner.accumulateGradients(
                sequences.flatMap { tokens[$0 - share.lowerBound] },
                of: StepPart(step: work.step, sequences: sequences, count: work.count, times: work.times),
                scale: work.scale, into: gradients)
            apart.append(try gradients.flat.cloned())
        }
        try exchange.addInOrder(apart, into: gradients.flat)
        return losses
    }

    /// Records losses by time, and refits the density at the steps where that is due.
    private func profile(_ losses: [SequenceLoss], _ state: inout TrainingState) {
        for loss in losses {
            guard let time = loss.time else { continue }
            let nats = training.objectiveWeight(time: time) * loss.nats / Double(length)
            state.times.add(time: time, loss: nats, smallestTime: training.smallestTime)
        }
        if state.step % training.timeDensity.refit == 0 { state.times.fit() }
    }
}
