import Files

/// A sequence on its way from noise to text, with its own method, seed, time and fixed positions.
public struct Trajectory: Sendable {
    /// Current states; MASK or any token where nothing is settled.
    public internal(set) var states: [Int]
    /// Tokens that stay as they are; nil where the model writes.
    public let template: [Int?]
    public let seed: UInt64
    /// How it is drawn.
    public let settings: SamplingSettings
    /// How many alternatives each change reports; nil reports no probabilities either, which saves a pass over the weights.
    public let reportedAlternatives: Int?
    /// Advances done, each of at most one network evaluation.
    public internal(set) var done = 0
    /// Advances that the method takes at most.
    public internal(set) var planned = 0
    public internal(set) var isFinished = false
    /// Time of the state: 1 at first, 0 once finished.
    public internal(set) var time = 1.0
    /// Passes of this sequence through the network's trunk.
    public internal(set) var networkEvaluations = 0
    /// What the last advance changed.
    public internal(set) var changes: [Change] = []

    /// What the method remembers, in numbers whose meaning is its own.
    var notes: [Double] = []
    /// What the evaluator was asked to keep of an earlier question.
    var kept: (any KeptEvaluation)?
    /// Takes the place of random numbers where a test enumerates all outcomes.
    var outcomes: (any Outcomes)?

    let method: any SamplingMethod
    let graph: any TransitionGraph

    /// Noise, with the template's tokens set.
    ///
    /// - Parameters:
    ///   - template: a token, or nil for a free position; its count is the length.
    ///   - alternatives: how many alternatives each change reports; nil for changes without probabilities.
    ///   - method: what `settings` describe, for the model of `process`.
    /// - Throws: ``SEDDError`` of kind `usage` for an empty template or a token outside the vocabulary.
    init(
        template: [Int?], seed: UInt64, settings: SamplingSettings, alternatives: Int? = nil,
        method: any SamplingMethod, process: DiffusionProcess
    ) throws(SEDDError) {
        let graph = process.graph
        guard !template.isEmpty else {
            throw SEDDError(.usage, "a sequence of length 0 was asked for; expected 1 or more")
        }
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
        self.settings = settings
        self.method = method
        self.graph = graph
        reportedAlternatives = alternatives
        planned = method.planned(for: self)
    }

    /// Steps that were asked for.
    public var steps: Int { settings.steps }
    /// Positions that the model writes.
    public var written: Int { template.count { $0 == nil } }

    /// Whether a position can still change in a reverse step: the model writes it and the chain can leave its state.
    func isOpen(_ position: Int) -> Bool { template[position] == nil && graph.canMove(from: states[position]) }

    /// The positions for which ``isOpen(_:)`` holds.
    var open: [Int] { states.indices.filter(isOpen) }

    /// The positions that the model writes and that hold a token: what remasking may take back.
    var settled: [Int] { states.indices.filter { template[$0] == nil && states[$0] != graph.mask } }

    // MARK: Random numbers, addressed by (seed, advance, position)

    /// The number in (0, 1) that a position's state is drawn by.
    func drawn(_ position: Int) -> Double {
        RandomStream(seed: seed, purpose: .reverseStep).uniform(step: done, sequence: 0, position: position)
    }

    /// A number in (0, 1) for a decision of the method, or the middle where outcomes are enumerated.
    func decision(_ position: Int = 0, draw: Int = 0) -> Double {
        outcomes?.number()
            ?? RandomStream(seed: seed, purpose: .decision).uniform(
                step: done, sequence: 0, position: position, draw: draw)
    }

    /// One of `count` equally likely numbers 0, 1, ...
    func choice(of count: Int, draw: Int = 0) -> Int {
        outcomes?.index([Double](repeating: 1 / Double(count), count: count))
            ?? RandomStream(seed: seed, purpose: .decision).integer(below: count, step: done, sequence: 0, draw: draw)
    }

    /// Whether what happens with `probability` does; draw tells the decisions about one position apart.
    func happens(_ probability: Double, at position: Int, draw: Int) -> Bool {
        if probability <= 0 { return false }
        if probability >= 1 { return true }
        if let outcomes { return outcomes.index([probability, 1 - probability]) == 0 }
        return decision(position, draw: draw) < probability
    }

    // MARK: Changes

    /// Sets the states that were drawn for the question's positions, or for some of them.
    mutating func take(_ answer: Answer, _ question: Question, only chosen: [Int]? = nil) {
        for place in chosen ?? Array(question.positions.indices) {
            let (position, state) = (question.positions[place], answer.states[place])
            guard states[position] != state else { continue }
            states[position] = state
            let report = answer.reports?[place]
            changes.append(
                Change(
                    position: position, state: state, probability: report?.probability,
                    alternatives: report?.alternatives ?? []))
        }
    }

    /// Takes a position's token back.
    mutating func remask(_ position: Int) {
        guard let mask = graph.mask, states[position] != mask else { return }
        states[position] = mask
        changes.append(Change(position: position, state: mask, probability: nil, alternatives: []))
    }

    /// Ends the trajectory; nothing is asked for it any more.
    mutating func finish() {
        isFinished = true
        time = 0
        kept = nil
    }
}

/// All outcomes in turn, in the place of random numbers.
protocol Outcomes: Sendable {
    /// One of the indices of `probabilities`.
    func index(_ probabilities: [Double]) -> Int
    /// A number in (0, 1) that no enumeration can be made over.
    func number() -> Double
}
