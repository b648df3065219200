/// What a trajectory asks of the network, and how the answer is drawn.
public struct Question: Sendable {
    /// Total noise on which the network is conditioned.
    var sigma: Double
    /// Time of the trajectory after the answer is applied.
    var timeAfter: Double
    /// Open positions whose states are drawn; only these go through the head. If empty, no evaluation is made unless it
    /// is kept.
    var positions: [Int]
    /// The law of each position's next state.
    var law: RowLaw
    /// Filter on the law of the clean token.
    var filter: TokenFilter
    /// Whether the evaluation is kept for the next question.
    var keeps = false
    /// Whether the shape of each position's clean token law is requested.
    var wantsShapes = false
    /// Whether the probability of each drawn state, among those that could be drawn, is requested.
    var wantsProbabilities = false
    /// A number passed from asking the question to applying its answer.
    var note: Double?
    /// Tokens whose log-probability under the filtered law is requested, one per position.
    var targets: [Int]?

    init(sigma: Double, timeAfter: Double, positions: [Int], law: RowLaw, filter: TokenFilter) {
        self.sigma = sigma
        self.timeAfter = timeAfter
        self.positions = positions
        self.law = law
        self.filter = filter
    }

    /// Whether a network evaluation is required.
    var needsEvaluation: Bool { !positions.isEmpty || keeps }
}

/// How certain the model is of a position's clean token.
public struct LawShape: Sendable, Equatable {
    /// The largest and second largest probability.
    public var first, second: Double
    /// Entropy, nats.
    public var entropy: Double
}

/// The answer to a question; one entry per position.
public struct Answer: Sendable {
    /// The drawn states.
    var states: [Int] = []
    /// Reports of the positions that change, if the trajectory reports alternatives.
    var reports: [DrawReport?]?
    var shapes: [LawShape]?
    var probabilities: [Double]?
    /// Nats; -infinity for a token that the filter excludes.
    var logProbabilities: [Double]?
    /// The kept evaluation, if requested.
    var kept: (any KeptEvaluation)?
    /// The evaluation of a time-free network, which answers further questions while the states do not change.
    var reusable: (any KeptEvaluation)?
    /// Whether an earlier evaluation of equal states was reused.
    var isReused = false
}

/// An evaluation kept by an evaluator; only the same evaluator can read it.
protocol KeptEvaluation: Sendable {}
