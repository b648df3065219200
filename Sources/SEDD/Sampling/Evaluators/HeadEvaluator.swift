import Torch

/// Answers questions with one pass of the trunk for all sequences, and the head, in chunks, for the positions asked
/// about. On the CPU sequences are divided into several such passes, each by one thread, if there are enough of them.
struct HeadEvaluator: Evaluator {
    let network: ScoreNetwork
    let process: DiffusionProcess
    let headRows: HeadRows
    /// Whether evaluations of a time-free network are reused while a sequence does not change.
    var reuses = true

    /// Laws that are drawn together: of one kind, through one filter.
    private struct Group: Hashable {
        enum Kind: Hashable { case linear, leap, trapezoid, psi }
        let kind: Kind
        let filter: TokenFilter

        init(_ question: Question) {
            kind =
                switch question.law {
                case .linear: .linear
                case .leap: .leap
                case .trapezoid: .trapezoid
                case .psi: .psi
                }
            filter = question.filter
        }

        /// Whether the fused kernel draws from it.
        var isFused: Bool { kind == .linear && filter.isIdentity }
    }

    /// A position asked about: the index of its question, and its index within the question.
    typealias Row = (asked: Int, place: Int)

    func answers(_ asked: [Asked]) throws -> [Answer] {
        try ParallelTasks.map(ranges: asked.count, on: network.device) { try together(Array(asked[$0])) }.flatMap { $0 }
    }

    private func together(_ asked: [Asked]) throws -> [Answer] {
        guard let length = asked.first?.states.count else { return [] }
        let vectors = try HiddenVectors(asked, length: length, network: network, reuses: reuses)
        let hidden = vectors.tensor  // [B L, d]
        var answers = asked.map { Answer(expecting: $0.question) }
        // In question order, so that rows go through the head in a deterministic order.
        var groups: [Group] = []
        for one in asked where !groups.contains(Group(one.question)) { groups.append(Group(one.question)) }
        for group in groups {
            let rows: [Row] = asked.indices.filter { Group(asked[$0].question) == group }
                .flatMap { index in asked[index].question.positions.indices.map { (asked: index, place: $0) } }
            for range in headRows.chunks(of: rows.count) {
                let chunk = try HeadChunk(
                    Array(rows[range]), asked, length: length, network: network, process: process)
                let index = chunk.rows.map { $0.asked * length + asked[$0.asked].question.positions[$0.place] }
                let chosen = try hidden.rows(Tensor(index, device: network.device))  // [M, d]
                try chunk.answer(chosen, filter: group.filter, isFused: group.isFused, into: &answers)
            }
        }
        for (index, one) in asked.enumerated() { try vectors.note(index, of: one, in: &answers[index]) }
        for (index, one) in asked.enumerated() where one.question.keeps {
            answers[index].kept = KeptHidden(
                hidden: try hidden.narrowed(0, from: index * length, length: length), states: one.states,
                sigma: one.question.sigma)
        }
        return answers
    }
}

/// The trunk's output for a sequence, kept for a later question.
struct KeptHidden: KeptEvaluation {
    /// [L, d].
    let hidden: Tensor
    let states: [Int]
    let sigma: Double
}

extension Answer {
    /// An empty answer with the fields that the question requests.
    init(expecting question: Question) {
        let count = question.positions.count
        states = [Int](repeating: 0, count: count)
        reports = [DrawReport?](repeating: nil, count: count)
        if question.wantsShapes { shapes = [LawShape](repeating: .init(first: 0, second: 0, entropy: 0), count: count) }
        if question.wantsProbabilities { probabilities = [Double](repeating: 0, count: count) }
        if question.targets != nil { logProbabilities = [Double](repeating: 0, count: count) }
    }
}
