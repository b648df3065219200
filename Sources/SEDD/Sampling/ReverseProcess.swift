import Files
import Foundation
import Torch

/// One reverse step for many sequences at once, each at its own time.
///
/// What a sequence becomes is a function of the model, its template, its seed and its steps; which others it shares a
/// network evaluation with changes nothing.
public struct ReverseProcess: Sendable {
    public let network: ScoreNetwork
    public let predictor: any Predictor
    let graph: any TransitionGraph
    private let noise: any NoiseSchedule
    private let denoiser = Denoiser()
    private let headRows: HeadRows
    /// Steps as graphs, on a CUDA device.
    private let captured: CapturedSteps?

    /// The time of the last state before denoising. Score models are trained on times from 1e-3 (the reference's
    /// training) and sampled down to 1e-5 (its samplers).
    public static let smallestTime = 1e-5

    /// Reverses the chain and the noise that the network was trained for, step by step with `predictor`.
    ///
    /// - Parameter graphs: whether a CUDA device is given each step as one graph, and not kernel by kernel.
    public init(network: ScoreNetwork, predictor: any Predictor, graphs: Bool = true) throws {
        let headRows = HeadRows(outputs: network.configuration.states, device: network.device)
        let captured =
            if let trunk = network.fused, graphs, network.device.kind == .cuda {
                try CapturedSteps(network: network, trunk: trunk, headRows: headRows, capturing: true)
            } else { CapturedSteps?.none }
        try self.init(network: network, predictor: predictor, headRows: headRows, captured: captured)
    }

    init(network: ScoreNetwork, predictor: any Predictor, headRows: HeadRows, captured: CapturedSteps?) throws {
        self.headRows = headRows
        self.captured = captured
        self.network = network
        self.predictor = predictor
        graph = network.configuration.makeGraph()
        noise = try network.configuration.makeNoise()
    }

    /// Takes every unfinished sequence one step further; all have the same length.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where lengths differ, `diverged` where the scores are not finite.
    public func advance(_ sequences: inout [SequenceState]) throws {
        let running = sequences.indices.filter { !sequences[$0].isFinished }
        guard let length = running.first.map({ sequences[$0].states.count }) else { return }
        guard running.allSatisfy({ sequences[$0].states.count == length }) else {
            throw SEDDError(.usage, "sequences of different lengths were given to one step; expected one length")
        }
        // Under absorption a sequence whose positions are all settled cannot change any more: no evaluation for it.
        let open = running.map { index in
            (0..<length).filter { sequences[index].isOpen($0, graph) }
        }
        let evaluated = running.indices.filter { !open[$0].isEmpty }
        let drawn = try draw(evaluated.map { part(sequences[running[$0]], open: open[$0]) }, length: length)
        for index in running { sequences[index].changes = [] }
        for (row, part) in evaluated.enumerated() {
            let index = running[part]
            sequences[index].networkEvaluations += 1
            for (position, next) in zip(open[part], drawn[row]) where sequences[index].states[position] != next.state {
                sequences[index].states[position] = next.state
                sequences[index].changes.append(
                    Change(
                        position: position, state: next.state, probability: next.outlook?.probability,
                        alternatives: next.outlook?.alternatives ?? []))
            }
        }
        for index in running { sequences[index].done += 1 }
    }

    /// A sequence in a network evaluation, and what it is about to do.
    private struct Part {
        let sequence: SequenceState
        /// Positions that may change.
        let open: [Int]
        let sigma: Double
        let step: StepNoise
        /// Whether it is about to be denoised, by another rule than a step.
        let isLast: Bool
    }

    /// An open position: which part, and which of its open positions.
    private typealias Row = (part: Int, place: Int)

    /// The state that an open position goes to and, where its sequence is watched and it moves, what else there was.
    private typealias Next = (state: Int, outlook: Outlook?)

    private func part(_ sequence: SequenceState, open: [Int]) -> Part {
        let time = sequence.time(smallest: Self.smallestTime)
        let length = (1 - Self.smallestTime) / Double(sequence.steps)
        let step = StepNoise(
            rateTimesStep: noise.sigmaRate(time) * length,
            sigmaStep: noise.sigma(time) - noise.sigma(max(time - length, 0)))
        return Part(
            sequence: sequence, open: open, sigma: noise.sigma(time), step: step,
            isLast: sequence.done == sequence.steps)
    }

    /// New states of the open positions of each sequence.
    private func draw(_ parts: [Part], length: Int) throws -> [[Next]] {
        guard !parts.isEmpty else { return [] }
        let rules = rules(parts)
        // Whoever watches wants the weights of the draws, which a captured step keeps to itself.
        if let captured, let rules, parts.allSatisfy({ $0.sequence.watched == nil }) {
            return try draw(parts, rules, length: length, captured)
        }
        let states = try Tensor(parts.flatMap(\.sequence.states), shape: [parts.count, length], device: network.device)
        let hidden = try network.hidden(states, sigma: parts.map(\.sigma))
        var drawn = parts.map { [Next](repeating: (0, nil), count: $0.open.count) }
        // Where steps and denoising are no rules of one kernel, they meet the head apart.
        for group in rules == nil ? [false, true] : [nil] {
            let chosen = parts.indices.filter { group == nil || parts[$0].isLast == group }
            let rows: [Row] = chosen.flatMap { part in parts[part].open.indices.map { (part: part, place: $0) } }
            for chunk in headRows.chunks(of: rows.count) {
                let slice = rows[chunk]
                let index = slice.map { $0.part * length + parts[$0.part].open[$0.place] }
                let vectors = try hidden.rows(Tensor(index, device: network.device))
                let values =
                    if let rules { try next(slice, parts, vectors, rules) } else {
                        try nextPlain(slice, parts, vectors)
                    }
                let outlooks = try outlooks(slice, parts, values.states, values.weights)
                for (place, row) in slice.enumerated() {
                    drawn[row.part][row.place] = (values.states[place], outlooks[place])
                }
            }
        }
        return drawn
    }

    /// The same by a step on arrays that stay, all rows at once.
    private func draw(
        _ parts: [Part], _ rules: [ReverseRule], length: Int, _ captured: CapturedSteps
    ) throws -> [[Next]] {
        let rows: [Row] = parts.indices.flatMap { part in parts[part].open.indices.map { (part: part, place: $0) } }
        let shifts = parts.map { network.shift(sigma: $0.sigma) }
        let numbers = rules.map(\.numbers)
        let result = try captured(
            CapturedStep.Inputs(
                states: parts.flatMap(\.sequence.states), sigma: parts.map(\.sigma),
                index: rows.map { $0.part * length + parts[$0.part].open[$0.place] }, own: states(rows[...], parts),
                shift: rows.map { shifts[$0.part] }, rules: rows.flatMap { numbers[$0.part] },
                uniforms: uniforms(rows[...], parts)))
        if let bad = result.drawn.firstIndex(of: -1) { throw InverseCDF.impossible(total: result.totals[bad]) }
        var next = result.drawn.makeIterator()
        return parts.map { part in part.open.compactMap { _ in next.next().map { ($0, nil) } } }
    }

    /// What each part does, where the fused kernel can do it.
    private func rules(_ parts: [Part]) -> [ReverseRule]? {
        guard network.device.hasKernels else { return nil }
        let rules = parts.compactMap { part in
            part.isLast ? denoiser.rule(sigma: part.sigma, graph) : predictor.rule(part.step, graph)
        }
        return rules.count == parts.count ? rules : nil
    }

    private func states(_ slice: ArraySlice<Row>, _ parts: [Part]) -> [Int] {
        slice.map { parts[$0.part].sequence.states[parts[$0.part].open[$0.place]] }
    }

    private func uniforms(_ slice: ArraySlice<Row>, _ parts: [Part]) -> [Double] {
        slice.map { row in
            let sequence = parts[row.part].sequence
            return RandomStream(seed: sequence.seed, purpose: .reverseStep)
                .uniform(step: sequence.done, sequence: 0, position: parts[row.part].open[row.place])
        }
    }

    /// The next state of each row of a chunk, in one pass over its logits.
    private func next(
        _ slice: ArraySlice<Row>, _ parts: [Part], _ vectors: Tensor, _ rules: [ReverseRule]
    ) throws -> (states: [Int], weights: Tensor) {
        let shifts = parts.map { network.shift(sigma: $0.sigma) }
        let numbers = rules.map(\.numbers)
        let logits = try network.logits(vectors)
        let result = try Kernels.reverseStep(
            logits, states: Tensor(states(slice, parts), device: network.device),
            shift: Tensor(slice.map { shifts[$0.part] }, device: network.device),
            rules: Tensor(slice.flatMap { numbers[$0.part] }, shape: [slice.count, 5], device: network.device),
            uniforms: Tensor(uniforms(slice, parts), device: network.device))
        if let bad = result.drawn.firstIndex(of: -1) { throw InverseCDF.impossible(total: result.totals[bad]) }
        return (result.drawn, logits)
    }

    /// The same by plain operators.
    private func nextPlain(
        _ slice: ArraySlice<Row>, _ parts: [Part], _ vectors: Tensor
    ) throws -> (states: [Int], weights: Tensor) {
        let rows = try Rows(
            states: states(slice, parts), sigma: slice.map { parts[$0.part].sigma }, device: network.device)
        let score = try network.logScore(hidden: vectors, rows).exponentiated()
        let column = [slice.count, 1]
        let noise = ReverseNoise(
            rateTimesStep: try Tensor(
                slice.map { parts[$0.part].step.rateTimesStep }, shape: column, device: network.device),
            sigmaStep: try Tensor(slice.map { parts[$0.part].step.sigmaStep }, shape: column, device: network.device))
        let isLast = slice.first.map { parts[$0.part].isLast } ?? false
        let weights =
            try isLast ? denoiser.weights(score, rows, graph) : predictor.weights(score, rows, noise, graph)
        return (try InverseCDF.draw(weights, uniforms: uniforms(slice, parts)), try weights.clamped(minimum: 0))
    }

    /// What the rows of watched sequences that move could have become, by place in the slice.
    private func outlooks(
        _ slice: ArraySlice<Row>, _ parts: [Part], _ drawn: [Int], _ weights: Tensor
    ) throws -> [Outlook?] {
        var found = [Outlook?](repeating: nil, count: drawn.count)
        let own = states(slice, parts)
        let moving = zip(drawn.indices, slice).filter { place, row in
            parts[row.part].sequence.watched != nil && drawn[place] != own[place]
        }
        guard let most = moving.compactMap({ parts[$0.1.part].sequence.watched }).max() else { return found }
        let places = moving.map(\.0)
        let outlooks = try Outlook.read(
            weights.rows(Tensor(places, device: network.device)), own: places.map { own[$0] },
            drawn: places.map { drawn[$0] }, count: most)
        for ((place, row), outlook) in zip(moving, outlooks) {
            found[place] = outlook.first(parts[row.part].sequence.watched ?? 0)
        }
        return found
    }
}
