import Files
import Torch

/// Rows that go through the head together and have laws of one kind.
struct HeadChunk {
    let rows: [HeadEvaluator.Row]
    private let asked: [Asked]
    private let length: Int
    private let network: ScoreNetwork
    private let tensors: RowTensors
    private let own: [Int]
    private let sigma: [Double]
    private let uniforms: [Double]
    private let laws: [RowLaw]

    init(
        _ rows: [HeadEvaluator.Row], _ asked: [Asked], length: Int, network: ScoreNetwork, process: DiffusionProcess
    ) throws {
        self.rows = rows
        self.asked = asked
        self.length = length
        self.network = network
        tensors = RowTensors(process: process)
        func position(_ row: HeadEvaluator.Row) -> Int { asked[row.asked].question.positions[row.place] }
        own = rows.map { asked[$0.asked].states[position($0)] }
        sigma = rows.map { asked[$0.asked].question.sigma }
        uniforms = rows.map { asked[$0.asked].trajectory.drawn(position($0)) }
        laws = rows.map { asked[$0.asked].question.law }
    }

    /// Draws the state of each row and computes whatever else is requested.
    ///
    /// - Parameter vectors: hidden vectors; [M, d].
    func answer(_ vectors: Tensor, filter: TokenFilter, isFused: Bool, into answers: inout [Answer]) throws {
        let logits = try network.logits(vectors)  // [M, V]
        let reporting = rows.contains { asked[$0.asked].trajectory.reportedAlternatives != nil }
        let wanted = rows.contains { row in
            let question = asked[row.asked].question
            return question.wantsShapes || question.wantsProbabilities || question.targets != nil
        }
        let isFused = isFused && network.device.hasKernels
        let rowStates = try Rows(states: own, sigma: sigma, device: network.device)
        let scores = try network.scores(logits, rowStates)
        if isFused, !reporting, !wanted { return set(try fused(scores, rowStates), &answers) }
        // The kernel overwrites the logits: whatever else needs them runs first.
        let logScore = try scores.logScore(states: rowStates.states)  // [M, V]
        if wanted { try describe(logScore, rowStates, filter, &answers) }
        let weights = try isFused && !reporting ? nil : self.weights(logScore, rowStates, filter)
        let drawn =
            if let weights, !isFused {
                try InverseCDF.draw(weights, uniforms: uniforms)
            } else {
                try fused(scores, rowStates)
            }
        set(drawn, &answers)
        if wanted { try addProbabilities(logScore, rowStates, filter, drawn, &answers) }
        if let weights, reporting { try report(weights, drawn, &answers) }
    }

    private func set(_ drawn: [Int], _ answers: inout [Answer]) {
        for (place, row) in rows.enumerated() { answers[row.asked].states[row.place] = drawn[place] }
    }

    /// Softmax and draw in one pass, which leaves the logits of `scores` unspecified.
    private func fused(_ scores: RowScores, _ rowStates: Rows) throws -> [Int] {
        let numbers = laws.flatMap { law in
            if case .linear(let rule) = law { rule.numbers } else { ReverseRule.remaining(slope: 0).numbers }
        }
        let result = try Kernels.reverseStep(
            scores.logits, states: rowStates.states, shift: scores.shift,
            rules: Tensor(numbers, shape: [rows.count, 5], device: network.device),
            uniforms: Tensor(uniforms, device: network.device))
        if let bad = result.drawn.firstIndex(of: -1) { throw InverseCDF.impossible(total: result.totals[bad]) }
        return result.drawn
    }

    private func weights(_ logScore: LogScore, _ rowStates: Rows, _ filter: TokenFilter) throws -> Tensor {
        let score = try tensors.filtered(logScore, rowStates, filter).exponentiated()
        guard case .trapezoid = laws.first else { return try tensors.weights(laws, score, rowStates) }
        return try tensors.weights(laws, score, rowStates, earlier: earlier(filter))
    }

    /// The scores of the same positions in the kept evaluations.
    private func earlier(_ filter: TokenFilter) throws -> Score {
        var vectors: [Tensor] = []
        var (states, noise): ([Int], [Double]) = ([], [])
        for run in rows.chunked(by: { $0.asked == $1.asked }) {
            let one = asked[run[run.startIndex].asked]
            guard let kept = one.trajectory.kept as? KeptHidden else {
                throw SEDDError(.usage, "a question refers to an earlier evaluation that was not kept")
            }
            let positions = run.map { one.question.positions[$0.place] }
            vectors.append(try kept.hidden.rows(Tensor(positions, device: network.device)))
            states += positions.map { kept.states[$0] }
            noise += [Double](repeating: kept.sigma, count: positions.count)
        }
        let rowStates = try Rows(states: states, sigma: noise, device: network.device)
        let logScore = try network.logScore(hidden: .concatenated(vectors, dimension: 0), rowStates)
        return try tensors.filtered(logScore, rowStates, filter).exponentiated()
    }

    private func describe(_ logScore: LogScore, _ rowStates: Rows, _ filter: TokenFilter, _ answers: inout [Answer])
        throws
    {
        if rows.contains(where: { asked[$0.asked].question.wantsShapes }) {
            for (row, shape) in zip(rows, try tensors.shapes(logScore, rowStates)) {
                answers[row.asked].shapes?[row.place] = shape
            }
        }
        guard rows.contains(where: { asked[$0.asked].question.targets != nil }) else { return }
        let targets = rows.map { asked[$0.asked].question.targets?[$0.place] ?? 0 }
        let index = try Tensor(targets, shape: [targets.count, 1], device: network.device)  // [M, 1]
        let logs: [Double] = try tensors.cleanLogs(logScore, rowStates, filter).gathered(1, index).array()
        for (row, log) in zip(rows, logs) {
            answers[row.asked].logProbabilities?[row.place] = log < TokenFilter.logZero / 2 ? -.infinity : log
        }
    }

    private func addProbabilities(
        _ logScore: LogScore, _ rowStates: Rows, _ filter: TokenFilter, _ drawn: [Int], _ answers: inout [Answer]
    ) throws {
        guard rows.contains(where: { asked[$0.asked].question.wantsProbabilities }) else { return }
        let index = try Tensor(drawn, shape: [drawn.count, 1], device: network.device)  // [M, 1]
        let law: [Double] = try tensors.cleanLogs(logScore, rowStates, filter).gathered(1, index).exp().array()
        for (row, probability) in zip(rows, law) { answers[row.asked].probabilities?[row.place] = probability }
    }

    /// Probabilities and alternatives of moving rows, for sequences that report them.
    private func report(_ weights: Tensor, _ drawn: [Int], _ answers: inout [Answer]) throws {
        let moving = rows.indices.filter {
            asked[rows[$0].asked].trajectory.reportedAlternatives != nil && drawn[$0] != own[$0]
        }
        guard let most = moving.compactMap({ asked[rows[$0].asked].trajectory.reportedAlternatives }).max() else {
            return
        }
        let reports = try DrawReport.read(
            weights.rows(Tensor(moving, device: network.device)), own: moving.map { own[$0] },
            drawn: moving.map { drawn[$0] }, count: most)
        for (index, report) in zip(moving, reports) {
            let row = rows[index]
            let count = asked[row.asked].trajectory.reportedAlternatives ?? 0
            answers[row.asked].reports?[row.place] = report.first(count)
        }
    }
}

extension Array {
    /// Splits the array between neighbours for which `belongTogether` is false.
    func chunked(by belongTogether: (Element, Element) -> Bool) -> [ArraySlice<Element>] {
        var runs: [ArraySlice<Element>] = []
        var start = startIndex
        for index in indices.dropFirst() where !belongTogether(self[index - 1], self[index]) {
            runs.append(self[start..<index])
            start = index
        }
        if start < endIndex { runs.append(self[start...]) }
        return runs
    }
}
