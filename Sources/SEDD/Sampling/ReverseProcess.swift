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
    private let chunk: Int

    /// The time of the last state before denoising. Score models are trained on times from 1e-3 (the reference's
    /// training) and sampled down to 1e-5 (its samplers).
    public static let smallestTime = 1e-5

    /// Reverses the chain and the noise that the network was trained for, step by step with `predictor`.
    public init(network: ScoreNetwork, predictor: any Predictor) throws {
        self.network = network
        self.predictor = predictor
        graph = network.configuration.makeGraph()
        noise = try network.configuration.makeNoise()
        chunk = max(16, ScoreEntropyLoss.chunkElements / graph.states)
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
        let drawn = try draw(evaluated.map { (sequences[running[$0]], open[$0]) }, length: length)
        for index in running { sequences[index].changed = [] }
        for (row, part) in evaluated.enumerated() {
            let index = running[part]
            sequences[index].networkEvaluations += 1
            for (position, state) in zip(open[part], drawn[row]) where sequences[index].states[position] != state {
                sequences[index].states[position] = state
                sequences[index].changed.append(position)
            }
        }
        for index in running { sequences[index].done += 1 }
    }

    /// New states of the open positions of each sequence.
    private func draw(_ parts: [(sequence: SequenceState, open: [Int])], length: Int) throws -> [[Int]] {
        guard !parts.isEmpty else { return [] }
        let times = parts.map { $0.sequence.time(smallest: Self.smallestTime) }
        let sigmas = times.map(noise.sigma)
        let states = try Tensor(parts.flatMap(\.sequence.states), shape: [parts.count, length], device: network.device)
        let hidden = try network.hidden(states, sigma: sigmas)
        // Sequences about to be denoised take another rule than those about to step.
        var drawn = parts.map { [Int](repeating: 0, count: $0.open.count) }
        for last in [false, true] {
            let chosen = parts.indices.filter { (parts[$0].sequence.done == parts[$0].sequence.steps) == last }
            let rows = chosen.flatMap { part in parts[part].open.indices.map { (part: part, place: $0) } }
            for start in stride(from: 0, to: rows.count, by: chunk) {
                let slice = rows[start..<min(start + chunk, rows.count)]
                let values = try next(slice, parts, hidden, length, times, denoising: last)
                for (row, value) in zip(slice, values) { drawn[row.part][row.place] = value }
            }
        }
        return drawn
    }

    /// The next state of each row of a chunk.
    private func next(
        _ slice: ArraySlice<(part: Int, place: Int)>, _ parts: [(sequence: SequenceState, open: [Int])],
        _ hidden: Tensor, _ length: Int, _ times: [Double], denoising: Bool
    ) throws -> [Int] {
        let positions = slice.map { parts[$0.part].open[$0.place] }
        let index = zip(slice, positions).map { $0.part * length + $1 }
        let rows = try Rows(
            states: zip(slice, positions).map { parts[$0.part].sequence.states[$1] },
            sigma: slice.map { noise.sigma(times[$0.part]) }, device: network.device)
        let chosen = try hidden.rows(Tensor(index, device: network.device))
        let score = try network.logScore(hidden: chosen, rows).exponentiated()
        let weights =
            try denoising
            ? denoiser.weights(score, rows, graph)
            : predictor.weights(
                score, rows, reverseNoise(slice.map { (parts[$0.part].sequence, times[$0.part]) }), graph)
        let uniforms = zip(slice, positions).map { row, position in
            let sequence = parts[row.part].sequence
            return RandomStream(seed: sequence.seed, purpose: .reverseStep)
                .uniform(step: sequence.done, sequence: 0, position: position)
        }
        return try InverseCDF.draw(weights, uniforms: uniforms)
    }

    private func reverseNoise(_ rows: [(sequence: SequenceState, time: Double)]) throws -> ReverseNoise {
        let step = rows.map { (1 - Self.smallestTime) / Double($0.sequence.steps) }
        let rate = zip(rows, step).map { noise.sigmaRate($0.time) * $1 }
        let difference = zip(rows, step).map { noise.sigma($0.time) - noise.sigma(max($0.time - $1, 0)) }
        let shape = [rows.count, 1]
        return ReverseNoise(
            rateTimesStep: try Tensor(rate, shape: shape, device: network.device),
            sigmaStep: try Tensor(difference, shape: shape, device: network.device))
    }
}
