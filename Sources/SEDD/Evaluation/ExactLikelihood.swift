/// -log p(x0) of a model that writes from left to right: the sum over tokens, exact.
public struct ExactLikelihood: BlockLikelihood {
    /// Which number is wanted.
    public enum Convention: String, Sendable {
        /// Every token of a block, the first after the start token: what a bound on whole blocks is compared with.
        case exact
        /// What published tables of GPT-2 hold: a block's first token is given, not predicted.
        case published
    }

    public let settings: EvaluationSettings
    private let convention: Convention
    private let loss: NextTokenLoss
    /// Released models have seen texts without a start; those trained here always stand behind it, also where their first
    /// token is given.
    private let standsBehindStart: Bool
    private let tokensPerBatch: Int

    /// - Parameter tokensPerBatch: how much meets the network at once; it changes memory, not the result.
    public init(network: AutoregressiveNetwork, convention: Convention = .exact, tokensPerBatch: Int = 4096) {
        settings = EvaluationSettings(convention: convention.rawValue, precision: network.weights.precision)
        self.convention = convention
        self.tokensPerBatch = tokensPerBatch
        loss = NextTokenLoss(network: network)
        standsBehindStart = convention == .exact || network.configuration.tokens != nil
    }

    public var terms: [String] { ["exact"] }
    public var isExact: Bool { true }

    public func tokens(inBlockOf length: Int) -> Int { convention == .exact ? length : length - 1 }

    public func blocksAtOnce(length: Int) -> Int { max(1, tokensPerBatch / max(1, length)) }

    public func nats(_ blocks: [(number: Int, tokens: [Int])]) throws -> [[Double]] {
        try loss.nats(blocks.map(\.tokens), fromStart: standsBehindStart).map {
            [$0.suffix(tokens(inBlockOf: blocks[0].tokens.count)).reduce(0, +)]
        }
    }
}
