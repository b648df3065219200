/// -log p(x0) under an autoregressive model: the exact sum over tokens.
public struct ExactLikelihood: BlockLikelihood {
    /// Which convention to follow.
    public enum Convention: String, Sendable {
        /// Every token of a block is predicted, the first from the start token: comparable with a bound on whole
        /// blocks.
        case exact
        /// As in published tables of GPT-2: the first token of a block is given, not predicted.
        case published
    }

    /// Settings on which the result depends besides model and data.
    public let settings: EvaluationSettings
    private let convention: Convention
    private let loss: NextTokenLoss
    /// Released models were trained without a start token; models trained here always have one in front, even if the
    /// first token is given.
    private let standsBehindStart: Bool
    private let tokensPerBatch: Int

    /// - Parameter tokensPerBatch: tokens per network pass; affects memory use, not the result.
    public init(network: AutoregressiveNetwork, convention: Convention = .exact, tokensPerBatch: Int = 4096) {
        settings = EvaluationSettings(convention: convention.rawValue, precision: network.weights.precision)
        self.convention = convention
        self.tokensPerBatch = tokensPerBatch
        loss = NextTokenLoss(network: network)
        standsBehindStart = convention == .exact || network.configuration.tokens != nil
    }

    /// One term, `exact`.
    public var terms: [String] { ["exact"] }
    /// True: the sum is -log p itself.
    public var isExact: Bool { true }

    /// All tokens of the block, or all but the first under ``Convention/published``.
    public func tokens(inBlockOf length: Int) -> Int { convention == .exact ? length : length - 1 }

    /// As many blocks as fit into the tokens per network pass, at least one.
    public func blocksAtOnce(length: Int) -> Int { max(1, tokensPerBatch / max(1, length)) }

    /// -log p of each block's predicted tokens, nats per block; one term each.
    public func nats(_ blocks: [(number: Int, tokens: [Int])]) throws -> [[Double]] {
        try loss.nats(blocks.map(\.tokens), fromStart: standsBehindStart).map {
            [$0.suffix(tokens(inBlockOf: blocks[0].tokens.count)).reduce(0, +)]
        }
    }
}
