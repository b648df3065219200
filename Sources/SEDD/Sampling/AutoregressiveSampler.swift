import Files
import Torch

/// Generates text autoregressively, token by token, after a prefix or from the start token.
public struct AutoregressiveSampler: Sendable {
    /// A sequence to generate.
    public struct Request: Sendable {
        /// The tokens to continue.
        public var prefix: [Int]
        /// Seed; the result is a function of seed, prefix and token choice.
        public var seed: UInt64

        /// Creates a request.
        public init(prefix: [Int] = [], seed: UInt64) {
            self.prefix = prefix
            self.seed = seed
        }
    }

    private let network: AutoregressiveNetwork
    private let choice: TokenChoice
    private let vocabulary: Int

    /// Creates a sampler that draws tokens of `network` by `choice`.
    ///
    /// - Parameter vocabulary: draws only the first `vocabulary` outputs, those of the tokenizer, if a released model has
    ///   further ones as padding; by default all of them.
    public init(network: AutoregressiveNetwork, choice: TokenChoice, vocabulary: Int? = nil) {
        self.network = network
        self.choice = choice
        self.vocabulary = min(vocabulary ?? .max, network.configuration.outputs)
    }

    /// Generates sequences of `length` tokens, prefixes included; each depends only on its request, not on the batch.
    /// It costs length - prefix network passes, all but the first over a single position.
    ///
    /// - Parameter requests: prefixes of equal length.
    /// - Throws: ``SEDDError`` of kind `usage` if a request is invalid.
    public func sample(_ requests: [Request], length: Int) throws -> [[Int]] {
        guard let prefix = requests.first?.prefix.count else { return [] }
        guard requests.allSatisfy({ $0.prefix.count == prefix }), length >= 1, prefix <= length else {
            throw SEDDError(
                .usage,
                "prefixes of \(requests.map(\.prefix.count)) tokens for a length of \(length); expected prefixes of equal length that fit"
            )
        }
        if let token = requests.flatMap(\.prefix).first(where: { $0 < 0 || $0 >= vocabulary }) {
            throw SEDDError(.usage, "token \(token) is outside the model's vocabulary of \(vocabulary)")
        }
        guard length <= network.configuration.length else {
            throw SEDDError(
                .usage,
                "a length of \(length) exceeds the model's context of \(network.configuration.length): choose a shorter length"
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
            let hidden = try network.hidden(tokens, cache: cache, dropout: nil).selected(1, width - 1)  // [B, d]
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
