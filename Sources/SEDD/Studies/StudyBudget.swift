import Files
public import Text
public import Torch

/// Estimates how many training steps and texts fit a time budget, by timing a few of each.
public struct StudyBudget: Sendable {
    /// Fraction of the time spent on training.
    static let trainingShare = 0.6
    private static let trialSteps = 8

    private let seconds: Double

    /// - Parameter seconds: budget of the whole study.
    public init(seconds: Double) { self.seconds = seconds }

    /// `plan` with as many training steps and texts as fit.
    ///
    /// - Parameter heldOutBlocks: number of held-out blocks, which limits the texts too.
    /// - Throws: ``SEDDError`` of kind `usage` if the budget does not suffice for the smallest study.
    public func fitted(
        _ plan: StudyPlan, heldOutBlocks: Int, tokenizer: any Tokenizer, device: Device = .cpu
    ) throws -> StudyPlan {
        try plan.validate()
        var plan = plan
        plan.budget = seconds
        let perStep = try StudyPlan.Role.allCases.reduce(0.0) {
            try $0 + trainingStep(plan.configuration($1), tokenizer, device, plan.precision($1))
        }
        plan.base.training.nIters = max(1, Int(min(seconds * Self.trainingShare / perStep, Double(StudyPlan.most))))
        let perSequence = try samplingStep(plan.configuration(.uniform), tokenizer, device)
        // Two chains and every method at all step counts; prompts cost about as much as the largest step count.
        let runs = try evaluations(plan)
        let prompts = 6 * plan.promptedSteps
        let share = seconds * (1 - Self.trainingShare) / (perSequence * Double(runs + 2 * prompts))
        let fits = Int(min(share, Double(StudyPlan.most)))
        plan.count = min(plan.count, fits, heldOutBlocks / 2)
        plan.promptedCount = min(plan.promptedCount, 2 * fits, heldOutBlocks / 2)
        guard plan.count >= Mauve.fewest, plan.base.training.nIters >= plan.base.optim.warmup else {
            throw SEDDError(
                .usage,
                "the budget of \(Int(seconds)) s suffices for \(plan.base.training.nIters) training steps and \(fits) texts per setting; expected \(plan.base.optim.warmup) and \(Mauve.fewest) or more: raise --budget, or make the model smaller"
            )
        }
        return plan
    }

    /// Upper bound on the evaluations for one text of every setting.
    private func evaluations(_ plan: StudyPlan) throws -> Int {
        let free = [Int?](repeating: nil, count: plan.base.model.length)
        return try [StudyPlan.Role.absorb, .uniform].reduce(0) { sum, role in
            let process = try DiffusionProcess(plan.configuration(role).modelConfiguration(tokens: 2, kind: "byte"))
            return try plan.samplers(role).reduce(sum) { sum, settings in
                try plan.steps.reduce(sum) { sum, steps in
                    var settings = settings
                    settings.steps = steps
                    let method = try SamplingMethods.make(settings, for: process)
                    return try sum
                        + Trajectory(template: free, seed: 0, settings: settings, method: method, process: process)
                        .planned
                }
            }
        }
    }

    private func trainingStep(
        _ configuration: TrainingConfiguration, _ tokenizer: any Tokenizer, _ device: Device, _ precision: Precision?
    ) throws -> Double {
        let learner = try configuration.makeLearner(tokenizer: tokenizer, device: device, precision: precision)
        var state = try TrainingState(learner.weights, configuration.optim)
        let step = try TrainingStep(configuration, learner: learner)
        return try perStep(of: Self.trialSteps) {
            _ = try step(&state) { sequence in
                let stream = RandomStream(seed: 1, purpose: .windows)
                return (0..<configuration.model.length).map {
                    stream.integer(below: tokenizer.vocabularySize, step: 0, sequence: sequence, position: $0)
                }
            }
        }
    }

    /// Seconds per reverse step of one sequence.
    private func samplingStep(
        _ configuration: TrainingConfiguration, _ tokenizer: any Tokenizer, _ device: Device
    ) throws -> Double {
        let learner = try configuration.makeLearner(tokenizer: tokenizer, device: device)
        let network = try learner.model(learner.weights).diffusion()
        let sampler = try Sampler(network: network)
        let free = [Int?](repeating: nil, count: configuration.model.length)
        var states = try sampler.start(
            (0..<16).map { .init(template: free, seed: UInt64($0), steps: 4 * Self.trialSteps) })
        return try perStep(of: Self.trialSteps) { try sampler.advance(&states) } / 16
    }

    private func perStep(of count: Int, _ body: () throws -> Void) throws -> Double {
        try body()
        let start = ContinuousClock.now
        for _ in 0..<count { try body() }
        return (ContinuousClock.now - start) / .seconds(1) / Double(count)
    }
}
