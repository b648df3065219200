import Files

/// A sequence on its way from noise to text, with its own seed, its own time and its own fixed positions.
public struct SequenceState: Sendable {
    /// Current states; MASK or any token where nothing is settled.
    public internal(set) var states: [Int]
    /// Tokens that stay as they are; nil where the model writes.
    public let template: [Int?]
    public let seed: UInt64
    /// Reverse steps between t = 1 and the smallest time; a final denoising follows.
    public let steps: Int
    /// Reverse steps done; steps + 1 once denoised.
    public internal(set) var done = 0
    /// Passes through the network that this sequence took part in.
    public internal(set) var networkEvaluations = 0
    /// What the last step changed.
    public internal(set) var changes: [Change] = []
    /// Alternatives that each change names; nil where changes carry no probabilities, which cost a pass over their weights.
    public let watched: Int?

    /// Noise, with the template's tokens set.
    ///
    /// - Parameters:
    ///   - template: a token, or nil for a free position; its count is the length.
    ///   - steps: reverse steps; 1 or more.
    ///   - watched: how many alternatives each change names; nil for changes without probabilities.
    /// - Throws: ``SEDDError`` of kind `usage` for an empty template, a token outside the vocabulary or too few steps.
    public init(
        template: [Int?], seed: UInt64, steps: Int, watched: Int? = nil, graph: any TransitionGraph
    ) throws(SEDDError) {
        guard !template.isEmpty else {
            throw SEDDError(.usage, "a sequence of length 0 was asked for; expected 1 or more")
        }
        guard steps >= 1 else { throw SEDDError(.usage, "\(steps) steps were asked for; expected 1 or more") }
        if let token = template.compactMap({ $0 }).first(where: { $0 < 0 || $0 >= graph.tokens }) {
            throw SEDDError(.usage, "token \(token) is outside the model's vocabulary of \(graph.tokens)")
        }
        let stream = RandomStream(seed: seed, purpose: .limit)
        states = template.indices.map { position in
            template[position]
                ?? graph.limit { stream.uniform(step: 0, sequence: 0, position: position, draw: $0) }
        }
        self.template = template
        self.seed = seed
        self.steps = steps
        self.watched = watched
    }

    /// Whether the sequence has been denoised.
    public var isFinished: Bool { done > steps }

    /// Time of the state: 1 at first, `smallest` after the last step, 0 once denoised.
    public func time(smallest: Double) -> Double {
        isFinished ? 0 : 1 - (1 - smallest) * Double(done) / Double(steps)
    }

    /// Whether a position can still change: the model writes it and the chain can leave its state.
    func isOpen(_ position: Int, _ graph: any TransitionGraph) -> Bool {
        template[position] == nil && graph.canMove(from: states[position])
    }
}
