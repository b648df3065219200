import Torch

/// The laws of rows as tensors: what ``RowLaw/weights(_:own:mask:earlier:)`` and ``DiffusionProcess/filtered(_:own:sigma:_:)`` define,
/// for M rows at once; [M, V] float32 but where differences of large numbers are formed.
struct RowTensors {
    let process: DiffusionProcess
    private var graph: any TransitionGraph { process.graph }

    /// The log-scores that would have led to the filtered clean-token law.
    func filtered(_ logScore: LogScore, _ rows: Rows, _ filter: TokenFilter) throws -> LogScore {
        guard !filter.isIdentity else { return logScore }
        let own = try rows.states.unsqueezed(1)  // [M, 1]
        guard graph.mask == nil else {
            let law = try cleanLogs(logScore, rows, filter)  // [M, n], normalised
            let score = try law - logExpm1(rows.sigma)
            let column = try Tensor.zeros([score.shape[0], 1], dtype: score.dtype, device: score.device)
            return LogScore(try Tensor.concatenated([score, column], dimension: 1).cast(to: .float32))
        }
        let size = Double(graph.states)
        let kept = try (-rows.sigma).exp()  // [M, 1]
        let moved = try -((-rows.sigma).expm1()) * (1 / size)
        let law = try cleanLogs(logScore, rows, filter).exp()  // [M, V]
        // p(x0) / K(x0, x): divided by `moved`, but by kept + moved at the own state.
        let apart = try (law / moved).scattered(1, own, source: law.gathered(1, own) / (kept + moved))
        let noised = try kept * apart + moved * apart.sum(1, keep: true)
        let score = try (noised / noised.gathered(1, own)).clamped(minimum: .leastNormalMagnitude).log()
        return LogScore(try score.scattered(1, own, value: 0).cast(to: .float32))
    }

    /// log p of each clean token, filtered and normalised; float64 [M, n].
    func cleanLogs(_ logScore: LogScore, _ rows: Rows, _ filter: TokenFilter) throws -> Tensor {
        let logs: Tensor
        if graph.mask != nil {
            logs = try logScore.tensor.narrowed(1, from: 0, length: graph.tokens)
        } else {
            // What stands for the logarithm of a clamped weight must survive temperature and sums.
            let weights = try graph.denoisingWeights(logScore.exponentiated(), rows).clamped(minimum: 0).cast(
                to: .float64)
            logs = try weights.clamped(minimum: .leastNormalMagnitude).log()
        }
        let kept = try filter(logs).cast(to: .float64)
        let shifted = try kept - kept.maximum(1, keep: true)
        return try shifted - shifted.exp().sum(1, keep: true).log()
    }

    /// The most and the second most probable token, and the entropy, of each row's clean-token law.
    func shapes(_ logScore: LogScore, _ rows: Rows) throws -> [LawShape] {
        let logs = try cleanLogs(logScore, rows, TokenFilter())  // [M, n]
        let law = try logs.exp()
        let first: [Double] = try law.maximum(1).array()
        let best = try law.argmax(1).unsqueezed(1)
        let second: [Double] = try law.scattered(1, best, value: 0).maximum(1).array()
        let entropy: [Double] = try (-(law * logs.clamped(minimum: -800)).sum(1)).array()
        return first.indices.map { LawShape(first: first[$0], second: second[$0], entropy: entropy[$0]) }
    }

    /// The weights of each row under laws of one kind, none negative; [M, V].
    ///
    /// - Parameters:
    ///   - laws: one for each row.
    ///   - earlier: scores of the kept evaluation, for trapezoids.
    func weights(_ laws: [RowLaw], _ score: Score, _ rows: Rows, earlier: Score? = nil) throws -> Tensor {
        let own = try rows.states.unsqueezed(1)  // [M, 1]
        let device = try score.tensor.device
        func column(_ value: (RowLaw) -> Double) throws -> Tensor {
            try Tensor(laws.map(value).map(Float.init), shape: [laws.count, 1], device: device)
        }
        switch laws.first {
        case nil, .linear:
            return try linear(
                laws.map { if case .linear(let rule) = $0 { rule } else { .remaining(slope: 0) } }, score, own)
        case .leap:
            let scale = try column { if case .leap(let scale) = $0 { scale } else { 0 } }
            return try leap(score.tensor * scale, own)
        case .trapezoid(let first):
            let later = try column { if case .trapezoid(let rule) = $0 { rule.later } else { 0 } }
            let before = try column { if case .trapezoid(let rule) = $0 { rule.earlier } else { 0 } }
            func scaled(_ score: Score) throws -> Tensor {
                guard first.isNormalised, let mask = graph.mask else { return score.tensor }
                let index = try Tensor(
                    [Int](repeating: mask, count: laws.count), shape: [laws.count, 1], device: device)
                let tokens = try score.tensor.scattered(1, index, value: 0)
                return try tokens / tokens.sum(1, keep: true)
            }
            let rates = try (scaled(score) * later - scaled(earlier ?? score) * before).clamped(minimum: 0)
            return try leap(rates, own)
        case .psi:
            func rules(_ rule: (PsiRule) -> ReverseRule) -> [ReverseRule] {
                laws.map { if case .psi(let psi) = $0 { rule(psi) } else { .remaining(slope: 0) } }
            }
            func normal(_ rules: [ReverseRule]) throws -> Tensor {
                let weights = try linear(rules, score, own)
                return try weights / weights.sum(1, keep: true)
            }
            let ancestral = try column { if case .psi(let rule) = $0 { rule.ancestral } else { 0 } }
            let kept = try column { if case .psi(let rule) = $0 { rule.kept } else { 0 } }
            let fresh = try kept * normal(rules(\.clean)) + (-(kept - 1)) * (1 / Double(graph.states))
            return try ancestral * normal(rules(\.step)) + (-(ancestral - 1)) * fresh
        }
    }

    private func linear(_ rules: [ReverseRule], _ score: Score, _ own: Tensor) throws -> Tensor {
        let device = try score.tensor.device
        func column(_ value: (ReverseRule) -> Double) throws -> Tensor {
            try Tensor(rules.map(value), shape: [rules.count, 1], device: device)
        }
        let others = try score.tensor.scattered(1, own, value: 0).cast(to: .float64).sum(1, keep: true)  // [M, 1]
        let rest = try column(\.spread) * others + column(\.rest)
        let kept = try column(\.own) + column(\.ownSpread) * others
        let moving = try score.tensor * column(\.slope).cast(to: .float32) + rest.cast(to: .float32)  // [M, V]
        return try moving.scattered(1, own, source: kept.cast(to: .float32)).clamped(minimum: 0)
    }

    /// - Parameter rates: [M, V]; that of the own state is not looked at.
    private func leap(_ rates: Tensor, _ own: Tensor) throws -> Tensor {
        let moving = try rates.scattered(1, own, value: 0)
        let total = try moving.cast(to: .float64).sum(1, keep: true)
        // (1 - e^-R) / R, which goes to 1 where R goes to 0.
        let floor = try total.clamped(minimum: 1e-30)
        let share = try -((-floor).expm1()) / floor
        return try (moving * share.cast(to: .float32)).scattered(1, own, source: (-total).exp().cast(to: .float32))
    }
}
