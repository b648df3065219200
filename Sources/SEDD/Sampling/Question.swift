/// What a trajectory wants to know of the network, and how the answer is drawn.
public struct Question: Sendable {
    /// Total noise that the network is told.
    var sigma: Double
    /// Time of the trajectory once the answer is applied.
    var timeAfter: Double
    /// Open positions whose states are drawn; only these meet the head. None asks for no evaluation unless it is kept.
    var positions: [Int]
    /// The law of each position's next state.
    var law: RowLaw
    /// What is left of the law of a clean token.
    var filter: TokenFilter
    /// Whether the evaluation is kept for the next question.
    var keeps = false
    /// Whether the shape of each position's clean-token law is wanted.
    var wantsShapes = false
    /// Whether the probability of each drawn state among those that could be drawn is wanted.
    var wantsProbabilities = false
    /// A number that the method hands from the question to the answer's application.
    var note: Double?
    /// Tokens whose log-probability under the filtered law is wanted, one for each position.
    var targets: [Int]?

    init(sigma: Double, timeAfter: Double, positions: [Int], law: RowLaw, filter: TokenFilter) {
        self.sigma = sigma
        self.timeAfter = timeAfter
        self.positions = positions
        self.law = law
        self.filter = filter
    }

    /// Whether the network has to be asked.
    var needsEvaluation: Bool { !positions.isEmpty || keeps }
}

/// How sure a model is of a position's clean token.
public struct LawShape: Sendable, Equatable {
    /// Probabilities of the most and the second most probable token.
    public var first, second: Double
    /// Nats.
    public var entropy: Double
}

/// What the network made of a question; one entry for each of its positions.
public struct Answer: Sendable {
    /// The states that were drawn.
    var states: [Int] = []
    /// Of the positions that change, where the trajectory reports alternatives.
    var reports: [DrawReport?]?
    var shapes: [LawShape]?
    var probabilities: [Double]?
    /// Nats; -infinity for a token that the filter leaves out.
    var logProbabilities: [Double]?
    /// Of a question that is kept.
    var kept: (any KeptEvaluation)?
}

/// What an evaluator keeps of an evaluation; only the evaluator that made it reads it.
protocol KeptEvaluation: Sendable {}
