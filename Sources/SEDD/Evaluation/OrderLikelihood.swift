import Files
import Synchronization
import Torch

/// -log p of a text under a sampler whose reveal order depends only on the state: exact, without a judge and without a
/// bound.
///
/// Such a sampler reveals a definite set of positions from each state, so there is exactly one way to generate a text
/// (DUEL, arXiv 2603.01367): start fully masked, evaluate the network, let the order choose positions, add -log p of
/// the true tokens there, reveal them, and repeat. It costs as many evaluations as sampling does, and holds for the
/// sampler including its filter, which may assign a text probability zero. As in sampling, the network is conditioned
/// on the noise level of the masked fraction.
public final class OrderLikelihood: BlockLikelihood {
    /// Settings on which the result depends besides model and data.
    public let settings: EvaluationSettings
    private let sampler: Sampler
    private let evaluator: HeadEvaluator
    private let sampling: SamplingSettings
    private let tokensPerBatch: Int
    private let counted = Mutex((blocks: 0, passes: 0))

    /// - Parameters:
    ///   - sampling: a method whose order depends only on the state, and its settings.
    ///   - tokensPerBatch: tokens per network pass; affects memory use, not the result.
    /// - Throws: ``SEDDError`` of kind `usage` for another method, or a model whose chain has no MASK.
    public init(network: ScoreNetwork, sampling: SamplingSettings, tokensPerBatch: Int = 4096) throws {
        sampler = try Sampler(network: network, capturesCUDAGraphs: false)
        evaluator = HeadEvaluator(
            network: network, process: sampler.process,
            headRows: HeadRows(outputs: network.configuration.states, device: network.device))
        let method = try SamplingMethods.make(sampling, for: sampler.process)
        guard let order = method as? OrderMethod, order.isDeterministic else {
            throw SEDDError(
                .usage,
                "the order '\(sampling.method)' does not depend on the state alone, so texts have no exact likelihood under it; expected \(OrderMethod.deterministicNames.joined(separator: ", "))"
            )
        }
        self.sampling = sampling
        self.tokensPerBatch = tokensPerBatch
        settings = EvaluationSettings(
            // Without a number of positions, the steps determine how many are revealed at once.
            convention: "order",
            order: sampling.summary + (order.usesSteps ? ", \(sampling.steps) steps" : ""),
            precision: network.weights.precision)
    }

    /// One term, `exact`.
    public var terms: [String] { ["exact"] }
    /// True: the sum is -log p itself.
    public var isExact: Bool { true }
    /// Blocks evaluated so far, and the network evaluations they took.
    public var evaluations: (blocks: Int, passes: Int)? { counted.withLock { $0 } }

    /// As many blocks as fit into the tokens per network pass, at least one.
    public func blocksAtOnce(length: Int) -> Int { max(1, tokensPerBatch / max(1, length)) }

    /// -log p of each block under the sampler, nats per block; infinite if the filter excludes one of its tokens.
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
        let passes = trajectories.reduce(0) { $0 + $1.networkEvaluations }
        counted.withLock { $0 = ($0.blocks + blocks.count, $0.passes + passes) }
        return nats.map { [$0] }
    }
}
