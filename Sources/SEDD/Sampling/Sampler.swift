import Files
import Torch

/// Generates text with one model: creates trajectories and advances them, many per network evaluation.
///
/// ```swift
/// let sampler = try Sampler(network: network)
/// let texts = try sampler.sample([.init(template: [Int?](repeating: nil, count: 128), seed: 1)])
/// ```
public struct Sampler: Sendable {
    /// A sequence to generate.
    public struct Request: Sendable {
        /// Given tokens, nil where the model writes; its count is the length.
        public var template: [Int?]
        /// Seed; the result is a function of seed, template and settings.
        public var seed: UInt64
        /// How it is sampled.
        public var settings: SamplingSettings
        /// How many alternatives each change reports; nil reports no probabilities.
        public var alternatives: Int?

        /// Creates a request.
        public init(
            template: [Int?], seed: UInt64, settings: SamplingSettings = SamplingSettings(), alternatives: Int? = nil
        ) {
            self.template = template
            self.seed = seed
            self.settings = settings
            self.alternatives = alternatives
        }

        /// Creates a request for the default method with `steps` steps.
        public init(template: [Int?], seed: UInt64, steps: Int) {
            self.init(template: template, seed: seed, settings: SamplingSettings(steps: steps))
        }
    }

    /// The model.
    public let network: ScoreNetwork
    /// Its chain, noise schedule and information profile.
    public let process: DiffusionProcess
    let evaluator: any Evaluator

    /// - Parameters:
    ///   - profile: the model's information profile, which the grid `profile` requires.
    ///   - capturesCUDAGraphs: whether each step of a network of scores runs as one CUDA graph on a CUDA device, rather
    ///     than kernel by kernel.
    /// - Throws: ``SEDDError`` if the configuration of the network is invalid.
    public init(network: ScoreNetwork, profile: InformationProfile? = nil, capturesCUDAGraphs: Bool = true) throws {
        let process = try DiffusionProcess(network.configuration, profile: profile)
        let headRows = HeadRows(outputs: network.configuration.states, device: network.device)
        let head = HeadEvaluator(network: network, process: process, headRows: headRows)
        // Captured steps subtract one shift per sequence, and always evaluate.
        let isCapturable =
            network.configuration.model.parametrisation == .score
            && !network.configuration.model.conditioning.isTimeFree
        if let trunk = network.fused, capturesCUDAGraphs, isCapturable, network.device.kind == .cuda {
            let steps = try CapturedSteps(network: network, trunk: trunk, headRows: headRows, capturing: true)
            self.init(process: process, head: head, evaluator: CapturedEvaluator(plain: head, steps: steps))
        } else {
            self.init(process: process, head: head, evaluator: head)
        }
    }

    /// Creates a sampler with a given evaluator, for tests.
    init(process: DiffusionProcess, head: HeadEvaluator, evaluator: any Evaluator) {
        network = head.network
        self.process = process
        self.evaluator = evaluator
    }

    /// The initial trajectory of a request.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` for settings that do not fit the model, an empty template or a token
    ///   outside the vocabulary.
    public func start(_ request: Request) throws(SEDDError) -> Trajectory {
        try Trajectory(
            template: request.template, seed: request.seed, settings: request.settings,
            alternatives: request.alternatives, method: SamplingMethods.make(request.settings, for: process),
            process: process)
    }

    /// The initial trajectories of requests; those with equal settings share a method.
    public func start(_ requests: [Request]) throws(SEDDError) -> [Trajectory] {
        var methods: [SamplingSettings: any SamplingMethod] = [:]
        var made: [Trajectory] = []
        for request in requests {
            let method: any SamplingMethod
            if let known = methods[request.settings] {
                method = known
            } else {
                method = try SamplingMethods.make(request.settings, for: process)
                methods[request.settings] = method
            }
            made.append(
                try Trajectory(
                    template: request.template, seed: request.seed, settings: request.settings,
                    alternatives: request.alternatives, method: method, process: process))
        }
        return made
    }

    /// Advances every unfinished trajectory by one question; all must have the same length.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if lengths differ, `diverged` if scores are not finite.
    public func advance(_ trajectories: inout [Trajectory]) throws { try evaluator.advance(&trajectories) }

    /// Generates the results of requests of any lengths, in request order, in batches of at most `tokens` tokens.
    ///
    /// - Parameter progress: called after each batch with the total number of advances; an error thrown by it ends the
    ///   sampling.
    public func sample(
        _ requests: [Request], tokens: Int = EngineLimits.standardTokens,
        progress: (_ advances: Int) throws -> Void = { _ in }
    ) throws -> [Trajectory] {
        var trajectories = try start(requests)
        var schedule = Schedule()
        for (index, one) in trajectories.enumerated() where !one.isFinished {
            schedule.add(.init(job: 0, index: index), length: one.states.count)
        }
        var done = 0
        while let rows = schedule.next(tokens: tokens, ready: { _ in true }) {
            var turn = rows.map { trajectories[$0.index] }
            try advance(&turn)
            var finished: Set<Schedule.SequenceID> = []
            for (row, one) in zip(rows, turn) {
                trajectories[row.index] = one
                // Advances that a trajectory turns out not to need count as done.
                done += one.isFinished ? max(1, one.planned - one.done + 1) : 1
                if one.isFinished { finished.insert(row) }
            }
            // Removed in one pass: one by one would be quadratic in the number of sequences.
            if !finished.isEmpty { schedule.removeAll { finished.contains($0) } }
            try progress(done)
        }
        return trajectories
    }

    /// The trajectories of all requests after each advance, starting with noise; the last element holds the results.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if a request does not fit the model.
    public func states(_ requests: [Request]) throws -> States { States(sampler: self, first: try start(requests)) }

    /// Each iteration computes the trajectories anew, one advance per element requested, so a slow reader exerts
    /// back-pressure on the sampler.
    public struct States: AsyncSequence, Sendable {
        /// The trajectories of all requests.
        public typealias Element = [Trajectory]
        let sampler: Sampler
        let first: [Trajectory]

        /// Starts from the noise of the requests; every iteration gives the same states.
        public func makeAsyncIterator() -> Iterator { Iterator(sampler: sampler, current: first) }

        /// Computes one advance per call.
        public struct Iterator: AsyncIteratorProtocol {
            let sampler: Sampler
            var current: [Trajectory]
            private var started = false

            init(sampler: Sampler, current: [Trajectory]) {
                self.sampler = sampler
                self.current = current
            }

            /// - Throws: `CancellationError` once the task is cancelled.
            public mutating func next() async throws -> [Trajectory]? {
                try Task.checkCancellation()
                guard started else {
                    started = true
                    return current
                }
                guard current.contains(where: { !$0.isFinished }) else { return nil }
                try sampler.advance(&current)
                return current
            }
        }
    }
}
