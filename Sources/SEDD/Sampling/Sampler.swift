import Files
import Torch

/// Generates text with one model: makes trajectories and takes them further, many in shared evaluations.
///
/// ```swift
/// let sampler = try Sampler(network: network)
/// let texts = try sampler.sample([.init(template: [Int?](repeating: nil, count: 128), seed: 1)])
/// ```
public struct Sampler: Sendable {
    /// What is asked for.
    public struct Request: Sendable {
        /// Fixed tokens, nil where the model writes; its count is the length.
        public var template: [Int?]
        /// What the result follows from, beside the template and the settings.
        public var seed: UInt64
        /// How it is drawn.
        public var settings: SamplingSettings
        /// How many alternatives each change reports; nil for changes without probabilities.
        public var alternatives: Int?

        /// One sequence to write.
        public init(
            template: [Int?], seed: UInt64, settings: SamplingSettings = SamplingSettings(), alternatives: Int? = nil
        ) {
            self.template = template
            self.seed = seed
            self.settings = settings
            self.alternatives = alternatives
        }

        /// One sequence to write by the standard method in so many steps.
        public init(template: [Int?], seed: UInt64, steps: Int) {
            self.init(template: template, seed: seed, settings: SamplingSettings(steps: steps))
        }
    }

    public let network: ScoreNetwork
    public let process: DiffusionProcess
    let evaluator: any Evaluator

    /// - Parameters:
    ///   - profile: the model's information profile, which the grid of that name needs.
    ///   - capturesGraphs: whether a CUDA device is given each step as one graph, and not kernel by kernel.
    /// - Throws: ``SEDDError`` where the configuration of the network is not one.
    public init(network: ScoreNetwork, profile: InformationProfile? = nil, capturesGraphs: Bool = true) throws {
        let process = try DiffusionProcess(network.configuration, profile: profile)
        let headRows = HeadRows(outputs: network.configuration.states, device: network.device)
        let head = HeadEvaluator(network: network, process: process, headRows: headRows)
        if let trunk = network.fused, capturesGraphs, network.device.kind == .cuda {
            let steps = try CapturedSteps(network: network, trunk: trunk, headRows: headRows, capturing: true)
            self.init(process: process, head: head, evaluator: CapturedEvaluator(plain: head, steps: steps))
        } else {
            self.init(process: process, head: head, evaluator: head)
        }
    }

    /// A sampler with an evaluator of its own; what tests make.
    init(process: DiffusionProcess, head: HeadEvaluator, evaluator: any Evaluator) {
        network = head.network
        self.process = process
        self.evaluator = evaluator
    }

    /// The trajectory of a request, as it stands at first.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` for settings that do not fit the model, an empty template or a token outside the
    ///   vocabulary.
    public func start(_ request: Request) throws(SEDDError) -> Trajectory {
        try Trajectory(
            template: request.template, seed: request.seed, settings: request.settings,
            alternatives: request.alternatives, method: SamplingMethods.make(request.settings, for: process),
            process: process)
    }

    /// The trajectories of requests; those with the same settings share a method.
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

    /// Takes every unfinished trajectory one question further; all have the same length.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where lengths differ, `diverged` where scores are not finite.
    public func advance(_ trajectories: inout [Trajectory]) throws { try evaluator.advance(&trajectories) }

    /// The results of requests of any lengths, in their order, by turns of no more than `tokens` tokens.
    ///
    /// - Parameter progress: told the advances done by all trajectories after each turn; what it throws ends the sampling.
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
            var finished: Set<Schedule.Row> = []
            for (row, one) in zip(rows, turn) {
                trajectories[row.index] = one
                // What a trajectory does not need of its plan counts as done.
                done += one.isFinished ? max(1, one.planned - one.done + 1) : 1
                if one.isFinished { finished.insert(row) }
            }
            // At once: taken out one by one, many sequences would cost the square of their number.
            if !finished.isEmpty { schedule.removeAll { finished.contains($0) } }
            try progress(done)
        }
        return trajectories
    }

    /// The trajectories of all requests after each advance, noise first; the last element holds the results.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where a request does not fit the model.
    public func states(_ requests: [Request]) throws -> States { States(sampler: self, first: try start(requests)) }

    /// Each iteration computes the trajectories anew, one advance for each element asked for, so a slow reader holds the
    /// sampler back and nothing piles up.
    public struct States: AsyncSequence, Sendable {
        public typealias Element = [Trajectory]
        let sampler: Sampler
        let first: [Trajectory]

        public func makeAsyncIterator() -> Iterator { Iterator(sampler: sampler, current: first) }

        /// Computes one advance each time it is asked.
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
