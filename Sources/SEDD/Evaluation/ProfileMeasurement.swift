import Files
import Torch

/// Measures the information profile of a model: the nats of a masked position when a random fraction of the others is
/// known.
public struct ProfileMeasurement: Sendable {
    private let sampler: Sampler
    private let evaluator: HeadEvaluator
    private let knots: Int
    private let stream: RandomStream

    /// - Parameter knots: number of known fractions, evenly spaced from 0 to 1; 2 or more.
    /// - Throws: ``SEDDError`` of kind `usage` for a model whose chain has no MASK, or fewer than two fractions.
    public init(network: ScoreNetwork, knots: Int = 33, seed: UInt64 = 0) throws {
        sampler = try Sampler(network: network, capturesCUDAGraphs: false)
        evaluator = HeadEvaluator(
            network: network, process: sampler.process,
            headRows: HeadRows(outputs: network.configuration.states, device: network.device))
        guard sampler.process.isAbsorbing else {
            throw SEDDError(
                .usage, "the model's chain is uniform; an information profile requires a model with the absorbing chain"
            )
        }
        guard knots >= 2 else { throw SEDDError(.usage, "\(knots) known shares; expected 2 or more") }
        self.knots = knots
        stream = RandomStream(seed: seed, purpose: .evaluation)
    }

    /// The profile over `blocks`, which have equal length.
    ///
    /// - Parameters:
    ///   - tokensPerBatch: tokens per network pass; affects memory use, not the result.
    ///   - progress: called with the completed fraction of the work.
    /// - Throws: ``SEDDError`` of kind `usage` if `blocks` is empty, `diverged` if the model's outputs are not finite.
    public func profile(
        _ blocks: [[Int]], tokensPerBatch: Int = 4096, progress: (Double) throws -> Void = { _ in }
    ) throws -> InformationProfile {
        guard let length = blocks.first?.count, length > 0 else {
            throw SEDDError(.usage, "the data contain no complete block; give more data or a shorter length")
        }
        let group = max(1, tokensPerBatch / length)
        var means: [Double] = []
        for knot in 0..<knots {
            let share = Double(knot) / Double(knots - 1)
            var (sum, count) = (0.0, 0)
            for start in stride(from: 0, to: blocks.count, by: group) {
                let part = start..<min(start + group, blocks.count)
                let asked = try part.map { try self.asked(blocks[$0], number: $0, knot: knot, known: share) }
                for answer in try evaluator.answers(asked) {
                    for log in answer.logProbabilities ?? [] { (sum, count) = (sum - log, count + 1) }
                }
            }
            guard sum.isFinite, count > 0 else {
                throw SEDDError(
                    .diverged,
                    "with \(share) known the loss is \(sum) over \(count) positions; check the weights of the model")
            }
            means.append(sum / Double(count))
            try progress(Double(knot + 1) / Double(knots))
        }
        return try InformationProfile(means)
    }

    /// A block in which each position is known with probability `known`, and the question for the tokens at the others.
    /// If all are known, one is masked.
    private func asked(_ tokens: [Int], number: Int, knot: Int, known: Double) throws -> Asked {
        let lone = stream.integer(below: tokens.count, step: number, sequence: knot, draw: 1)
        let template = tokens.indices.map { position -> Int? in
            let isKnown = stream.uniform(step: number, sequence: knot, position: position) < known
            return isKnown && !(known == 1 && position == lone) ? tokens[position] : nil
        }
        let process = sampler.process
        let sigma = process.sigma(displaced: process.displaced(1) * (1 - known))
        let trajectory = try sampler.start(.init(template: template, seed: 0))
        var question = Question(
            sigma: sigma, timeAfter: 0, positions: trajectory.open,
            law: .linear(process.graph.denoisingRule(sigma: sigma)), filter: TokenFilter())
        question.targets = question.positions.map { tokens[$0] }
        return Asked(trajectory: trajectory, question: question)
    }
}
