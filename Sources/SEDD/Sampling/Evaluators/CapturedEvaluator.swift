import Torch

/// Answers questions of linear laws by captured CUDA graphs, and all others with ``HeadEvaluator``.
struct CapturedEvaluator: Evaluator {
    let plain: HeadEvaluator
    let steps: CapturedSteps

    func answers(_ asked: [Asked]) throws -> [Answer] {
        let rules = asked.compactMap(Self.rule)
        guard let length = asked.first?.states.count, rules.count == asked.count,
            asked.contains(where: { !$0.question.positions.isEmpty })
        else { return try plain.answers(asked) }
        let network = plain.network
        let rows = asked.indices.flatMap { one in asked[one].question.positions.map { (one: one, position: $0) } }
        let shifts = asked.map { network.shift(sigma: $0.question.sigma) }
        let numbers = rules.map(\.numbers)
        let result = try steps(
            CapturedStep.Inputs(
                states: asked.flatMap(\.states), sigma: asked.map(\.question.sigma),
                index: rows.map { $0.one * length + $0.position }, own: asked.flatMap(\.own),
                shift: rows.map { shifts[$0.one] }, rules: rows.flatMap { numbers[$0.one] },
                uniforms: rows.map { asked[$0.one].trajectory.drawn($0.position) }))
        if let bad = result.drawn.firstIndex(of: -1) { throw InverseCDF.impossible(total: result.totals[bad]) }
        var next = result.drawn[...]
        return asked.map { one in
            var answer = Answer(expecting: one.question)
            answer.states = Array(next.prefix(one.question.positions.count))
            next = next.dropFirst(one.question.positions.count)
            return answer
        }
    }

    /// The rule of a question that requests nothing but draws.
    private static func rule(_ asked: Asked) -> ReverseRule? {
        let question = asked.question
        guard case .linear(let rule) = question.law, question.filter.isIdentity, !question.keeps, !question.wantsShapes,
            !question.wantsProbabilities, question.targets == nil, asked.trajectory.reportedAlternatives == nil
        else { return nil }
        return rule
    }
}
