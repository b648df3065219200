import Files
import Foundation
public import Torch

/// GPT-2: a causal transformer that predicts each token from the tokens before it.
public final class AutoregressiveNetwork: Sendable {
    /// Shape and vocabulary of the model.
    public let configuration: AutoregressiveConfiguration
    /// All weights, by their released names.
    public let weights: Weights
    /// The device on which it computes.
    public let device: Device
    private let positions: Tensor
    private let blocks: [AutoregressiveBlock]
    private let finalNorm, finalNormBias: Tensor
    /// [vocabulary, d].
    private let embedding: Tensor
    /// The embedding if the head is tied to it; [vocabulary, d].
    private let wholeHead: Tensor
    static let embeddingName = "transformer.wte.weight"
    /// A separate head, if it is not tied to the embedding.
    static let headName = "lm_head.weight"

    /// The weights used as the head.
    var headWeights: String { Self.headWeights(configuration) }

    private static func headWeights(_ configuration: AutoregressiveConfiguration) -> String {
        configuration.tiesHead == false ? headName : embeddingName
    }

    /// Creates a network that shares `weights`.
    init(_ configuration: AutoregressiveConfiguration, _ weights: Weights) throws {
        self.configuration = configuration
        self.weights = weights
        device = try weights.flat.device
        embedding = try weights(Self.embeddingName)
        wholeHead = try weights(Self.headWeights(configuration))
        positions = try weights("transformer.wpe.weight")
        blocks = try (0..<configuration.nBlocks).map {
            try AutoregressiveBlock(weights, index: $0, configuration: configuration)
        }
        finalNorm = try weights("transformer.ln_f.weight")
        finalNormBias = try weights("transformer.ln_f.bias")
    }

    /// Creates a network whose initial weights are drawn from `seed`.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` if the configuration is invalid.
    public convenience init(_ configuration: AutoregressiveConfiguration, seed: UInt64, device: Device = .cpu) throws {
        try configuration.validate()
        let weights = try Weights(layout: WeightLayout(configuration))
        try weights.initializeAutoregressive(seed: seed, blocks: configuration.nBlocks)
        try self.init(configuration, weights.moved(to: device))
    }

    /// Hidden vectors after the final layer norm; [B, T, d].
    ///
    /// - Parameter tokens: int64 [B, T].
    /// - Throws: ``SEDDError`` of kind `usage` if the sequences are longer than the model's context.
    public func hidden(_ tokens: Tensor) throws -> Tensor { try hidden(tokens, cache: nil, dropout: nil) }

    /// The same for positions that follow those in `cache`, to which they are appended.
    func hidden(_ tokens: Tensor, cache: KeyValueCache?, dropout: Dropout?) throws -> Tensor {
        let shape = try tokens.shape
        let first = cache?.filled ?? 0
        guard shape.count == 2, first + shape[1] <= configuration.length else {
            throw SEDDError(
                .usage,
                "\(first + (shape.last ?? 0)) positions exceed the model's context of \(configuration.length): choose a shorter length"
            )
        }
        try cache?.requireRoom(for: shape[1])
        var x = try embedding.embedding(tokens) + positions.narrowed(0, from: first, length: shape[1])  // [B, T, d]
        for block in blocks { x = try block(x, cache: cache, dropout: dropout) }
        cache?.advance(by: shape[1])
        return try x.layerNorm(finalNorm, epsilon: configuration.normEpsilon) + finalNormBias  // [B, T, d]
    }

    /// Unnormalized log-probabilities of hidden vectors [M, d]; float32 [M, outputs].
    public func logits(_ hidden: Tensor) throws -> Tensor { try hidden.cast(to: .float32).linear(head) }

    /// The rows of the head that belong to tokens which can be generated; [outputs, d].
    var head: Tensor {
        get throws { try wholeHead.narrowed(0, from: 0, length: configuration.outputs).detached() }
    }
}
