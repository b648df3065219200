import Files
public import Foundation
public import Text
public import Torch

/// Trains a model. The result is a pure function of (configuration, step); its state is kept in a run folder.
public final class Trainer {
    /// The metrics of a step.
    public struct StepMetrics: Sendable {
        /// Number of the step, from 1.
        public let step: Int
        /// Number of steps of the whole run.
        public let steps: Int
        /// The minimized loss, nats per token.
        public let loss: Double
        /// An estimate of the likelihood bound's first term, nats per token, if the loss weights times differently.
        public let bound: Double?
        /// Euclidean norm of the gradient of all weights, before clipping.
        public let gradientNorm: Double
        /// Learning rate of the step.
        public let rate: Double
        /// Tokens of a step's batch.
        public let tokens: Int
        /// Duration of the step, seconds.
        public let seconds: Double
        /// Tokens of the batch divided by the duration of the step.
        public var tokensPerSecond: Double { Double(tokens) / seconds }
    }

    /// Progress events.
    public enum Event: Sendable {
        /// Training continues from a checkpoint, taken after `step` steps.
        case resumed(step: Int, checkpoint: URL)
        /// A damaged checkpoint; the previous one is tried.
        case damaged(checkpoint: URL, reason: String)
        /// All steps had been completed before.
        case finished(step: Int)
        /// A step was taken.
        case step(StepMetrics)
        /// Nats per token of the moving average on held-out blocks: the diffusion term, or the exact likelihood of an
        /// autoregressive model.
        case validation(step: Int, DiffusionTerm.Estimate)
        /// A text sampled from the moving average.
        case sample(step: Int, String)
        /// A checkpoint was written.
        case checkpoint(step: Int, URL)
    }

    /// The resolved configuration of the run.
    public let configuration: TrainingConfiguration
    /// The weights updated by the optimizer.
    public var weights: Weights { learner.weights }
    /// Their moving average, which is validated, sampled and saved as the model.
    public let averaged: LanguageModel
    private let learner: any Learner
    private var state: TrainingState
    private let run: RunFolder
    private let dataset: TokenDataset
    private let tokenizer: any Tokenizer
    private let windows: TrainingWindows
    private let takeStep: TrainingStep
    private let team: Team

    /// - Parameters:
    ///   - run: a folder that ``RunFolder/create(_:_:)`` has made.
    ///   - dataset: tokens of `tokenizer`.
    ///   - precision: precision of a diffusion model's trunk; defaults to the device's standard precision.
    ///   - team: the processes that share the sequences of each step. Only the first reads and writes the run folder.
    ///   - sums: how they sum their gradients.
    /// - Throws: ``SEDDError`` if the configuration is invalid, `TextError` if the data contain no complete block.
    public init(
        _ configuration: TrainingConfiguration, run: RunFolder, dataset: TokenDataset, tokenizer: any Tokenizer,
        device: Device = .cpu, precision: Precision? = nil, team: Team = .alone, sums: GradientSums = .init()
    ) throws {
        try configuration.validate()
        try configuration.training.requireSequences(for: team)
        try dataset.training.requireBlock(of: configuration.model.length)
        self.configuration = configuration
        self.run = run
        self.dataset = dataset
        self.tokenizer = tokenizer
        let seed = configuration.training.seed
        learner = try configuration.makeLearner(tokenizer: tokenizer, device: device, precision: precision)
        state = try TrainingState(
            learner.weights, configuration.optim,
            frozen: learner.weights.layout.names(matching: configuration.training.freeze, key: "training.freeze"))
        averaged = try learner.model(state.average)
        windows = try TrainingWindows(
            dataset.training, length: configuration.model.length, documentStarts: configuration.data.documentStarts,
            seed: seed)
        self.team = team
        takeStep = try TrainingStep(configuration, learner: learner, team: team, sums: sums)
    }

    /// Trains from the newest checkpoint, or from the start, to the last step.
    ///
    /// - Parameters:
    ///   - shouldStop: checked after each step; if it returns true, the run is saved and stops.
    ///   - report: receives progress events.
    /// - Throws: ``SEDDError`` of kind `interrupted` if `shouldStop` returns true, `diverged` if the loss is not
    ///   finite.
    public func train(shouldStop: () -> Bool = { false }, report: (Event) throws -> Void) throws {
        if team.isFirst { try restore(report) }
        try StateSharing(team: team)(&state)
        let training = configuration.training
        guard state.step < training.nIters else { return try report(.finished(step: state.step)) }
        let log = team.isFirst ? try MetricsLog(run, after: state.step) : nil
        // Measurements that were due at the saved step but are missing from the log, because an interruption takes
        // precedence.
        try measure(log, unlessLogged: true, shouldStop, report)
        while state.step < training.nIters {
            let (metrics, agreed) = try step(shouldStop)
            let last = metrics.step == training.nIters
            if metrics.step % training.logFreq == 0 || last { try log?.add(metrics) }
            try report(.step(metrics))
            let measured = try measure(log, unlessLogged: false, shouldStop, report)
            // Signals that arrive after the step's sums are agreed on in the next step.
            let stops = agreed || measured.stops || (team.size == 1 && shouldStop())
            if last || measured.isBest || stops || metrics.step % training.snapshotFreq == 0 { try save(report) }
            if !last, stops {
                throw SEDDError(
                    .interrupted,
                    "stopped at step \(metrics.step) and saved; continue with: sedd train --resume --output \(run.url.path)"
                )
            }
        }
    }

    /// Restores the newest checkpoint, or loads the model from which the run starts.
    private func restore(_ report: (Event) throws -> Void) throws {
        let restored = try run.checkpoints.restoreLatest(into: &state) {
            try report(.damaged(checkpoint: $0, reason: $1.description))
        }
        if let restored {
            try report(.resumed(step: state.step, checkpoint: restored))
        } else if try run.record()?.saved == true {
            throw SEDDError(
                .missingInput,
                "\(run.checkpoints.folder.path): the run has saved checkpoints, and none is here; put them back, or start another run"
            )
        } else if let folder = configuration.training.from {
            let start = try StartingModel(contentsOf: URL(filePath: folder))
            try start.requireTokenizer(tokenizer, padding: configuration.model.padding)
            try start.copy(into: state.weights)
            try state.average.load(copying: state.weights)
        }
    }

    /// Validates and samples if that is due at this step.
    ///
    /// - Returns: whether the moving average is the best so far, and whether a process was asked to stop before the
    ///   measurement.
    @discardableResult
    private func measure(
        _ log: MetricsLog?, unlessLogged: Bool, _ shouldStop: () -> Bool, _ report: (Event) throws -> Void
    ) throws -> (isBest: Bool, stops: Bool) {
        let (training, step) = (configuration.training, state.step)
        let last = step == training.nIters
        var isBest = false
        var validates = last || step % training.evalFreq == 0
        var samples = training.sampleFreq > 0 && step > 0 && (last || step % training.sampleFreq == 0)
        if unlessLogged {
            // Only the first process has the log.
            let missing = try team.broadcast(
                [log.map { !$0.hasValidation(step: step) } ?? true, !run.hasSample(step: step)], "what is logged")
            (validates, samples) = (validates && missing[0], samples && missing[1])
        }
        if validates {
            // A stop request takes precedence; the resumed run makes up for missing measurements.
            guard try !team.agree(shouldStop(), "whether to stop") else { return (false, true) }
            isBest = try validate(log, report)
        }
        if samples {
            guard try !team.agree(shouldStop(), "whether to stop") else { return (isBest, true) }
            try sample(log, report)
        }
        return (isBest, false)
    }

    private func step(_ shouldStop: () -> Bool) throws -> (StepMetrics, stops: Bool) {
        let start = ContinuousClock.now
        let next = state.step + 1
        team.note(step: next)
        let outcome = try takeStep(&state, stops: shouldStop) { sequence in
            // Complementary masks apply to the same text.
            try windows.window(
                step: next, sequence: configuration.training.complementary ? sequence / 2 : sequence)
        }
        guard outcome.applied else { throw diverged(step: next, outcome.loss, outcome.gradientNorm) }
        let metrics = StepMetrics(
            step: next, steps: configuration.training.nIters, loss: outcome.loss, bound: outcome.bound,
            gradientNorm: outcome.gradientNorm,
            rate: takeStep.optimizer.rate(next), tokens: configuration.training.batchSize * configuration.model.length,
            seconds: (ContinuousClock.now - start) / .seconds(1))
        return (metrics, outcome.stops)
    }

    private func diverged(step: Int, _ loss: Double, _ norm: Double) -> SEDDError {
        let rates = configuration.optim.type == .muon ? "optim.muon_lr, a lower optim.lr" : "optim.lr"
        let good = run.checkpoints.steps().last.map { run.checkpoints.url(step: $0).path }
        return SEDDError(
            .diverged,
            "step \(step): the loss is \(loss) and the gradient's norm \(norm); the last good checkpoint is \(good ?? "none"): resume from it with a lower \(rates) or a longer optim.warmup"
        )
    }

    /// - Returns: whether this is the lowest so far.
    private func validate(_ log: MetricsLog?, _ report: (Event) throws -> Void) throws -> Bool {
        let length = configuration.model.length
        let whole = dataset.heldOut.count / length
        guard whole > 0 else { return false }
        let wanted = min(whole, configuration.training.evalBlocks)
        // Blocks spread evenly over the held-out part, the same at every validation; each process takes its share.
        let share = team.share(of: wanted, unit: learner.validationGroup)
        let blocks = try share.map { index in
            let tokens = try dataset.heldOut.window(at: index * whole / wanted * length, length: length)
            return (number: index, tokens: tokens.map(Int.init))
        }
        let estimate = try DiffusionTerm.Estimate(
            team.gathered(learner.validate(averaged, on: blocks), share: share, of: wanted, "validation"))
        let isBest = state.step > 0 && estimate.mean < state.best?.validation ?? .infinity
        if isBest { state.best = .init(step: state.step, validation: estimate.mean) }
        try log?.add(
            step: state.step,
            [("validation", estimate.mean)]
                + (estimate.standardError.map { [("validation_standard_error", $0)] } ?? []), group: "held_out")
        if team.isFirst { try run.drawCurve() }
        try report(.validation(step: state.step, estimate))
        return isBest
    }

    private func sample(_ log: MetricsLog?, _ report: (Event) throws -> Void) throws {
        guard let log else { return try team.meet("sample") }
        let text = try TrainingSample(configuration, tokenizer).text(averaged, step: state.step)
        try run.write(sample: text, step: state.step)
        try log.add(step: state.step, sample: text)
        try report(.sample(step: state.step, text))
        try team.meet("sample")
    }

    private func save(_ report: (Event) throws -> Void) throws {
        try StateSharing(team: team).requireSame(state)
        guard team.isFirst else { return try team.meet("checkpoint") }
        let url = try run.checkpoints.save(state, tokenizer: tokenizer, keep: configuration.training.keep) {
            try learner.save(state.average, to: $0)
        }
        try run.noteSaved(configuration)
        try report(.checkpoint(step: state.step, url))
        try team.meet("checkpoint")
    }
}
