import Torch

/// The laws of M rows as tensors, as defined by ``RowLaw/weights(_:own:mask:earlier:)`` and
/// ``DiffusionProcess/filtered(_:own:sigma:_:)``; [M, V], float32 except where large numbers are subtracted.
struct RowTensors {
    let process: DiffusionProcess
    private var graph: any TransitionGraph { process.graph }

    /// The log-scores that correspond to the filtered law of the clean token.
    func filtered(_ logScore: LogScore, _ rows: Rows, _ filter: TokenFilter) throws -> LogScore {
        guard !filter.isIdentity else { return logScore }
        let own = try rows.states.unsqueezed(1)  // [M, 1]
        guard graph.mask == nil else {
            let law = try cleanLogs(logScore, rows, filter)  // [M, n], normalized
            let score = try law - logExpm1(rows.sigma)  // [M, n]
            let column = try Tensor.zeros([score.shape[0], 1], dtype: score.dtype, device: score.device)
            return LogScore(try Tensor.concatenated([score, column], dimension: 1).cast(to: .float32))
        }
        let size = Double(graph.states)
        let kept = try (-rows.sigma).exp()  // [M, 1]
        let moved = try -((-rows.sigma).expm1()) * (1 / size)  // [M, 1]
        let law = try cleanLogs(logScore, rows, filter).exp()  // [M, V]
        // p(x0) / K(x0, x): divide by `moved`, or by kept + moved at the own state.
        let apart = try (law / moved).scattered(1, own, source: law.gathered(1, own) / (kept + moved))  // [M, V]
        let noised = try kept * apart + moved * apart.sum(1, keep: true)  // [M, V]
        let score = try (noised / noised.gathered(1, own)).clamped(minimum: .leastNormalMagnitude).log()  // [M, V]
        return LogScore(try score.scattered(1, own, value: 0).cast(to: .float32))
    }

    /// log p of each clean token, filtered and normalized; float64 [M, n].
    func cleanLogs(_ logScore: LogScore, _ rows: Rows, _ filter: TokenFilter) throws -> Tensor {
        let logs: Tensor
        if graph.mask != nil {
            logs = try logScore.tensor.narrowed(1, from: 0, length: graph.tokens)
        } else {
            // The substitute for log 0 of a clamped weight must survive temperature and sums.
            let weights = try graph.denoisingWeights(logScore.exponentiated(), rows).clamped(minimum: 0).cast(
                to: .float64)
            logs = try weights.clamped(minimum: .leastNormalMagnitude).log()  // [M, V]
        }
        let kept = try filter(logs).cast(to: .float64)  // [M, n]
        let shifted = try kept - kept.maximum(1, keep: true)  // [M, n]
        return try shifted - shifted.exp().sum(1, keep: true).log()
    }

    /// Largest and second largest probability and entropy of each row's clean token law.
    func shapes(_ logScore: LogScore, _ rows: Rows) throws -> [LawShape] {
        let logs = try cleanLogs(logScore, rows, TokenFilter())  // [M, n]
        let law = try logs.exp()  // [M, n]
        let first: [Double] = try law.maximum(1).array()
        let best = try law.argmax(1).unsqueezed(1)  // [M, 1]
        let second: [Double] = try law.scattered(1, best, value: 0).maximum(1).array()
        let entropy: [Double] = try (-(law * logs.clamped(minimum: -800)).sum(1)).array()
        return first.indices.map { LawShape(first: first[$0], second: second[$0], entropy: entropy[$0]) }
    }

    /// Weights of each row under laws of one kind, nonnegative; [M, V].
    ///
    /// - Parameters:
    ///   - laws: one law per row.
    ///   - earlier: scores of the kept evaluation, for trapezoidal rules.
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
                let tokens = try score.tensor.scattered(1, index, value: 0)  // [M, V]
                return try tokens / tokens.sum(1, keep: true)
            }
            let rates = try (scaled(score) * later - scaled(earlier ?? score) * before).clamped(minimum: 0)  // [M, V]
            return try leap(rates, own)
        case .psi:
            func rules(_ rule: (PsiRule) -> ReverseRule) -> [ReverseRule] {
                laws.map { if case .psi(let psi) = $0 { rule(psi) } else { .remaining(slope: 0) } }
            }
            func normal(_ rules: [ReverseRule]) throws -> Tensor {
                let weights = try linear(rules, score, own)  // [M, V]
                return try weights / weights.sum(1, keep: true)
            }
            let ancestral = try column { if case .psi(let rule) = $0 { rule.ancestral } else { 0 } }  // [M, 1]
            let kept = try column { if case .psi(let rule) = $0 { rule.kept } else { 0 } }
            let fresh = try kept * normal(rules(\.clean)) + (-(kept - 1)) * (1 / Double(graph.states))  // [M, V]
            return try ancestral * normal(rules(\.step)) + (-(ancestral - 1)) * fresh
        }
    }

    private func linear(_ rules: [ReverseRule], _ score: Score, _ own: Tensor) throws -> Tensor {
        let device = try score.tensor.device
        func column(_ value: (ReverseRule) -> Double) throws -> Tensor {
            try Tensor(rules.map(value), shape: [rules.count, 1], device: device)
        }
        let others = try score.tensor.scattered(1, own, value: 0).cast(to: .float64).sum(1, keep: true)  // [M, 1]
        let rest = try column(\.spread) * others + column(\.rest)  // [M, 1]
        let kept = try column(\.own) + column(\.ownSpread) * others  // [M, 1]
        let moving = try score.tensor * column(\.slope).cast(to: .float32) + rest.cast(to: .float32)  // [M, V]
        return try moving.scattered(1, own, source: kept.cast(to: .float32)).clamped(minimum: 0)
    }

    /// - Parameter rates: [M, V]; the own state's rate is ignored.
    private func leap(_ rates: Tensor, _ own: Tensor) throws -> Tensor {
        let moving = try rates.scattered(1, own, value: 0)  // [M, V]
        let total = try moving.cast(to: .float64).sum(1, keep: true)  // [M, 1]
        // (1 - e^-R) / R, which tends to 1 as R tends to 0.
        let floor = try total.clamped(minimum: 1e-30)
        let share = try -((-floor).expm1()) / floor  // [M, 1]
        return try (moving * share.cast(to: .float32)).scattered(1, own, source: (-total).exp().cast(to: .float32))
    }
}
