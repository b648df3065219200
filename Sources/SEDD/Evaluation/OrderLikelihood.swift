import Files
import Synchronization
import Torch

/// -log p of a text under a sampler that reveals positions in an order that follows from the state alone: exact, without a judge and
/// without a bound.
///
/// From a state such a sampler goes to one set of positions and draws their tokens, so a text is written in one way only (DUEL, arXiv
/// 2603.01367): all masked, ask the network, let the order choose, add -log p of the true tokens there, reveal them, and so on. It
/// costs the evaluations that the sampler takes, and holds for the sampler with its filter, which may give a text no chance at all.
/// The network is told the noise of the masked share, as the sampler tells it.
public final class OrderLikelihood: BlockLikelihood {
    public let settings: EvaluationSettings
    private let sampler: Sampler
    private let evaluator: HeadEvaluator
    private let sampling: SamplingSettings
    private let tokensPerBatch: Int
    private let counted = Mutex((blocks: 0, evaluations: 0))

    /// - Parameters:
    ///   - sampling: a method whose order follows from the state, and its settings.
    ///   - tokensPerBatch: how much meets the network at once; it changes memory, not the result.
    /// - Throws: ``SEDDError`` of kind `usage` for another method, or a model that does not mask.
    public init(network: ScoreNetwork, sampling: SamplingSettings, tokensPerBatch: Int = 4096) throws {
        sampler = try Sampler(network: network, capturesGraphs: false)
        evaluator = HeadEvaluator(
            network: network, process: sampler.process,
            headRows: HeadRows(outputs: network.configuration.states, device: network.device))
        let method = try SamplingMethods.make(sampling, for: sampler.process)
        guard let order = method as? OrderMethod, order.isDeterministic else {
            throw SEDDError(
                .usage,
                "the order '\(sampling.method)' does not follow from the state alone, so a text has no exact likelihood under it; expected \(OrderMethod.deterministicNames.joined(separator: ", "))"
            )
        }
        self.sampling = sampling
        self.tokensPerBatch = tokensPerBatch
        settings = EvaluationSettings(
            convention: "order", order: sampling.summary, precision: network.weights.precision)
    }

    public var terms: [String] { ["exact"] }
    public var isExact: Bool { true }
    public var evaluationsPerBlock: Double? {
        counted.withLock { $0.blocks == 0 ? nil : Double($0.evaluations) / Double($0.blocks) }
    }

    public func blocksAtOnce(length: Int) -> Int { max(1, tokensPerBatch / max(1, length)) }

    public func nats(_ blocks: [(number: Int, tokens: [Int])]) throws -> [[Double]] {
        var trajectories = try sampler.start(
            blocks.map {
                .init(template: [Int?](repeating: nil, count: $0.tokens.count), seed: 0, settings: sampling)
            })
        var nats = [Double](repeating: 0, count: blocks.count)
        while true {
            var asked: [(index: Int, one: Asked)] = []
            for index in trajectories.indices {
                guard var question = trajectories[index].method.ask(trajectories[index]) else { continue }
                question.targets = question.positions.map { blocks[index].tokens[$0] }
                asked.append((index, Asked(trajectory: trajectories[index], question: question)))
            }
            if asked.isEmpty { break }
            for (entry, answer) in zip(asked, try evaluator.answers(asked.map(\.one))) {
                var truth = answer
                truth.states = entry.one.question.targets ?? []
                trajectories[entry.index].advance(entry.one.question, truth)
                let revealed = Set(trajectories[entry.index].changes.map(\.position))
                for (position, log) in zip(entry.one.question.positions, answer.logProbabilities ?? [])
                where revealed.contains(position) { nats[entry.index] -= log }
            }
        }
        let evaluations = trajectories.reduce(0) { $0 + $1.networkEvaluations }
        counted.withLock { $0 = ($0.blocks + blocks.count, $0.evaluations + evaluations) }
        return nats.map { [$0] }
    }
}
