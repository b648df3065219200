import Files

/// A sequence on its way from noise to text, with its own method, seed, time and given positions.
public struct Trajectory: Sendable {
    /// Current states; MASK (absorbing chain) or any token (uniform chain) where nothing has settled.
    public internal(set) var states: [Int]
    /// Given tokens; nil where the model writes.
    public let template: [Int?]
    /// Seed of the sequence.
    public let seed: UInt64
    /// How it is sampled.
    public let settings: SamplingSettings
    /// How many alternatives each change reports; nil reports no probabilities either, which saves a pass over the
    /// weights.
    public let reportedAlternatives: Int?
    /// Advances so far, each of at most one network evaluation.
    public internal(set) var done = 0
    /// Upper bound on the advances of the method.
    public internal(set) var planned = 0
    /// Whether no question is left.
    public internal(set) var isFinished = false
    /// Time of the state: 1 initially, 0 once finished.
    public internal(set) var time = 1.0
    /// Network evaluations of this sequence.
    public internal(set) var networkEvaluations = 0
    /// The changes of the last advance.
    public internal(set) var changes: [Change] = []

    /// Numbers that the method stores; their meaning is its own.
    var notes: [Double] = []
    /// An evaluation that the evaluator kept for a later question.
    var kept: (any KeptEvaluation)?
    /// The last evaluation of a time-free network.
    var reusable: (any KeptEvaluation)?
    /// Replaces random numbers in tests that enumerate all outcomes.
    var outcomes: (any Outcomes)?

    let method: any SamplingMethod
    let graph: any TransitionGraph

    /// Creates the initial state: noise, with the template's tokens set.
    ///
    /// - Parameters:
    ///   - template: a token, or nil for a free position; its count is the length.
    ///   - alternatives: how many alternatives each change reports; nil reports no probabilities.
    ///   - method: the method described by `settings`, for the model of `process`.
    /// - Throws: ``SEDDError`` of kind `usage` for an empty template or a token outside the vocabulary.
    init(
        template: [Int?], seed: UInt64, settings: SamplingSettings, alternatives: Int? = nil,
        method: any SamplingMethod, process: DiffusionProcess
    ) throws(SEDDError) {
        let graph = process.graph
        guard !template.isEmpty else {
            throw SEDDError(.usage, "the template is empty; expected 1 or more positions")
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

    /// The requested number of steps.
    public var steps: Int { settings.steps }
    /// Number of positions that the model writes.
    public var written: Int { template.count { $0 == nil } }

    /// Whether a reverse step can change a position: the model writes it and the chain can leave its state.
    func isOpen(_ position: Int) -> Bool { template[position] == nil && graph.canMove(from: states[position]) }

    /// The positions for which ``isOpen(_:)`` holds.
    var open: [Int] { states.indices.filter(isOpen) }

    /// The tokens from the start of `range` on that no later advance changes.
    public func final(in range: Range<Int>) -> ArraySlice<Int> {
        if isFinished { return states[range] }
        return method.revises ? [] : states[range].prefix { !graph.canMove(from: $0) }
    }

    /// The positions that the model writes and that hold a token: candidates for remasking.
    var settled: [Int] { states.indices.filter { template[$0] == nil && states[$0] != graph.mask } }

    // MARK: Random numbers, addressed by (seed, advance, position)

    /// The uniform number in (0, 1) that decides a position's state.
    func drawn(_ position: Int) -> Double {
        RandomStream(seed: seed, purpose: .reverseStep).uniform(step: done, sequence: 0, position: position)
    }

    /// A uniform number in (0, 1) for a decision of the method, or 1/2 when outcomes are enumerated.
    func decision(_ position: Int = 0, draw: Int = 0) -> Double {
        outcomes?.number()
            ?? RandomStream(seed: seed, purpose: .decision).uniform(
                step: done, sequence: 0, position: position, draw: draw)
    }

    /// One of `count` equally likely integers 0, 1, ...
    func choice(of count: Int, draw: Int = 0) -> Int {
        outcomes?.index([Double](repeating: 1 / Double(count), count: count))
            ?? RandomStream(seed: seed, purpose: .decision).integer(below: count, step: done, sequence: 0, draw: draw)
    }

    /// Whether an event of that probability happens; `draw` distinguishes decisions about the same position.
    func happens(_ probability: Double, at position: Int, draw: Int) -> Bool {
        if probability <= 0 { return false }
        if probability >= 1 { return true }
        if let outcomes { return outcomes.index([probability, 1 - probability]) == 0 }
        return decision(position, draw: draw) < probability
    }

    // MARK: Changes

    /// Sets the drawn states at the question's positions, or at some of them.
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

    /// Masks a position again.
    mutating func remask(_ position: Int) {
        guard let mask = graph.mask, states[position] != mask else { return }
        states[position] = mask
        changes.append(Change(position: position, state: mask, probability: nil, alternatives: []))
    }

    /// Ends the trajectory.
    mutating func finish() {
        isFinished = true
        time = 0
        kept = nil
        reusable = nil
    }
}

/// Enumerates all outcomes, in place of random numbers.
protocol Outcomes: Sendable {
    /// One of the indices of `probabilities`.
    func index(_ probabilities: [Double]) -> Int
    /// A number in (0, 1) over which nothing is enumerated.
    func number() -> Double
}
