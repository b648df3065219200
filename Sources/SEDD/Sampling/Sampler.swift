/// Generates text: an asynchronous sequence of the states between noise and the result.
public struct Sampler: Sendable {
    /// What is asked for.
    public struct Request: Sendable {
        /// Fixed tokens, nil where the model writes; its count is the length.
        public var template: [Int?]
        /// What the result follows from, beside the template and the steps.
        public var seed: UInt64
        /// Reverse steps before the final denoising; 1 or more.
        public var steps: Int

        /// One sequence to write.
        public init(template: [Int?], seed: UInt64, steps: Int) {
            self.template = template
            self.seed = seed
            self.steps = steps
        }
    }

    public let process: ReverseProcess

    /// - Parameter graphs: whether a CUDA device is given each step as one graph, and not kernel by kernel.
    /// - Throws: ``SEDDError`` where the configuration of the network makes no sense.
    public init(
        network: ScoreNetwork, predictor: any Predictor = AnalyticPredictor(), graphs: Bool = true
    ) throws {
        process = try ReverseProcess(network: network, predictor: predictor, graphs: graphs)
    }

    /// The states of all requests after each step, noise first; the last element holds the results.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where a request makes no sense.
    public func states(_ requests: [Request]) throws -> States {
        let first = try requests.map {
            try SequenceState(template: $0.template, seed: $0.seed, steps: $0.steps, graph: process.graph)
        }
        return States(process: process, first: first)
    }

    /// The results alone.
    public func sample(_ requests: [Request]) async throws -> [SequenceState] {
        var last: [SequenceState] = []
        for try await state in try states(requests) { last = state }
        return last
    }

    /// A trajectory; each iteration computes it anew, one step for each element asked for, so a slow reader holds the
    /// sampler back and nothing piles up.
    public struct States: AsyncSequence, Sendable {
        public typealias Element = [SequenceState]
        let process: ReverseProcess
        let first: [SequenceState]

        public func makeAsyncIterator() -> Iterator { Iterator(process: process, current: first) }

        /// Computes one step each time it is asked.
        public struct Iterator: AsyncIteratorProtocol {
            let process: ReverseProcess
            var current: [SequenceState]
            private var started = false

            init(process: ReverseProcess, current: [SequenceState]) {
                self.process = process
                self.current = current
            }

            /// - Throws: `CancellationError` once the task is cancelled.
            public mutating func next() async throws -> [SequenceState]? {
                try Task.checkCancellation()
                guard started else {
                    started = true
                    return current
                }
                guard current.contains(where: { !$0.isFinished }) else { return nil }
                try process.advance(&current)
                return current
            }
        }
    }
}
