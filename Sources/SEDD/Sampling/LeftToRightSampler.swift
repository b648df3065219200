import Files
import Torch

/// Writes text from left to right, a token at a time, after a prefix or from nothing.
public struct LeftToRightSampler: Sendable {
    /// What is asked for.
    public struct Request: Sendable {
        /// Tokens that stand first.
        public var prefix: [Int]
        /// What the result follows from, beside the prefix and the choice of tokens.
        public var seed: UInt64

        /// One sequence to write.
        public init(prefix: [Int] = [], seed: UInt64) {
            self.prefix = prefix
            self.seed = seed
        }
    }

    private let network: AutoregressiveNetwork
    private let choice: TokenChoice
    private let vocabulary: Int

    /// Writes with `network`, drawing tokens by `choice`.
    ///
    /// - Parameter vocabulary: draws the first so many outputs of the network alone, those that the tokenizer knows, where a released
    ///   model has further ones as padding; all of them unless given.
    public init(network: AutoregressiveNetwork, choice: TokenChoice, vocabulary: Int? = nil) {
        self.network = network
        self.choice = choice
        self.vocabulary = min(vocabulary ?? .max, network.configuration.outputs)
    }

    /// Sequences of `length` tokens, the prefixes included; a sequence is a function of its request, whatever it is written
    /// beside. It costs length - prefix passes through the network, each of one position but the first.
    ///
    /// - Parameter requests: prefixes of one length.
    /// - Throws: ``SEDDError`` of kind `usage` where a request makes no sense.
    public func sample(_ requests: [Request], length: Int) throws -> [[Int]] {
        guard let prefix = requests.first?.prefix.count else { return [] }
        guard requests.allSatisfy({ $0.prefix.count == prefix }), length >= 1, prefix <= length else {
            throw SEDDError(
                .usage,
                "prefixes of \(requests.map(\.prefix.count)) tokens for a length of \(length); expected one that fits")
        }
        if let token = requests.flatMap(\.prefix).first(where: { $0 < 0 || $0 >= vocabulary }) {
            throw SEDDError(.usage, "token \(token) is outside the model's vocabulary of \(vocabulary)")
        }
        guard length <= network.configuration.length else {
            throw SEDDError(
                .usage,
                "a length of \(length) was asked for; the model has \(network.configuration.length) positions: choose fewer"
            )
        }
        let cache = try KeyValueCache(
            network.configuration, sequences: requests.count, capacity: length, device: network.device)
        let streams = requests.map { RandomStream(seed: $0.seed, purpose: .leftToRight) }
        var sequences = requests.map(\.prefix)
        var inputs = requests.map { [network.configuration.startToken] + $0.prefix }
        for position in prefix..<length {
            let width = inputs[0].count
            let tokens = try Tensor(inputs.flatMap { $0 }, shape: [requests.count, width], device: network.device)
            let hidden = try network.hidden(tokens, cache: cache, dropout: nil).selected(1, width - 1)
            let logits = try network.logits(hidden).narrowed(1, from: 0, length: vocabulary)  // [B, n]
            let drawn = try choice.draw(
                logits,
                uniforms: streams.map { $0.uniform(step: 0, sequence: 0, position: position) })
            for (index, token) in drawn.enumerated() { sequences[index].append(token) }
            inputs = drawn.map { [$0] }
        }
        return sequences
    }
}
