import Files
import Foundation
public import Torch

/// The released SEDD transformer, and those of other diffusion models that share its layers, split into trunk and head.
///
/// ``hidden(_:sigma:)`` maps whole sequences to hidden vectors; ``logScore(hidden:_:)`` maps the hidden vectors of
/// selected positions to log-scores. [B, L, V] is never materialized.
public final class ScoreNetwork: Sendable {
    /// Chain, noise schedule and shape of the model.
    public let configuration: ModelConfiguration
    /// All weights, by their released names.
    public let weights: Weights
    /// The device on which it computes.
    public let device: Device
    private let embedding: Tensor
    private let modulations: Modulations
    private let blocks: [TransformerBlock]
    private let finalNorm: Tensor
    /// The head, excluded from autograd: its gradients are computed by hand, chunk by chunk.
    let head: (weight: Tensor, bias: Tensor)
    /// The trunk computed by fused kernels, on devices that have them.
    let fused: FusedTrunk?

    /// Creates a network that shares `weights`.
    init(_ configuration: ModelConfiguration, _ weights: Weights) throws {
        self.configuration = configuration
        self.weights = weights
        device = try weights.flat.device
        embedding = try weights("vocab_embed.embedding")
        modulations = try Modulations(configuration, weights)
        blocks = try (0..<configuration.model.nBlocks).map {
            try TransformerBlock(weights, index: $0, heads: configuration.model.nHeads)
        }
        finalNorm = try weights("output_layer.norm_final.weight")
        head = (
            try weights("output_layer.linear.weight").detached(), try weights("output_layer.linear.bias").detached()
        )
        fused = device.hasKernels ? try FusedTrunk(configuration, weights) : nil
    }

    /// Creates a network whose initial weights are drawn from `seed`.
    ///
    /// - Parameter precision: precision of the trunk; defaults to the device's standard precision.
    /// - Throws: ``SEDDError`` of kind `invalidData` if the configuration is invalid.
    public convenience init(
        _ configuration: ModelConfiguration, seed: UInt64, device: Device = .cpu, precision: Precision? = nil
    ) throws {
        let precision = try Precision.resolved(precision, on: device, for: .training)
        try configuration.validate()
        let weights = try Weights(layout: WeightLayout(configuration))
        try weights.initialize(seed: seed)
        try self.init(configuration, weights.moved(to: device, precision))
    }

    /// Hidden vectors after the final norm and modulation, ready for the head; [B L, d].
    ///
    /// - Parameters:
    ///   - tokens: states; int64 [B, L].
    ///   - sigma: total noise of each of the B sequences.
    /// - Throws: ``SEDDError`` of kind `usage` for other shapes, `TorchError` if a state is outside 0..<V.
    public func hidden(_ tokens: Tensor, sigma: [Double]) throws -> Tensor {
        try requireStates(tokens, sigma: sigma)
        if let fused { return try fused.forward(tokens, sigma: sigma, dropout: nil, recording: false).hidden }
        return try trunk(tokens, sigma: sigma).reshaped([-1, configuration.model.hiddenSize])  // [R, d]
    }

    /// Hidden vectors computed by plain operators in float32, recorded by autograd if weights require gradients;
    /// [B, L, d]. It runs on every device, and is what the fused trunk is tested against.
    func trunk(_ tokens: Tensor, sigma: [Double], dropout: Dropout? = nil) throws -> Tensor {
        try requireStates(tokens, sigma: sigma)
        let shape = try tokens.shape
        let width = configuration.model.hiddenSize / configuration.model.nHeads
        let rotary = try RotaryPositions(length: shape[1], width: width, device: device)
        let modulation = try modulations(modulations.waves(sigma), recording: true)  // [B, 6 d], the last [B, 2 d]
        var x = try embedding.embedding(tokens)  // [B, L, d]
        for (block, parts) in zip(blocks, modulation) {
            x = try block(x, modulation: parts, rotary: rotary, dropout: dropout)
        }
        let parts = try modulation[blocks.count].unsqueezed(1)  // [B, 1, 2 d]
        let d = configuration.model.hiddenSize
        return try modulate(
            x, finalNorm, shift: parts.narrowed(2, from: 0, length: d), scale: parts.narrowed(2, from: d, length: d))
    }

    private func requireStates(_ tokens: Tensor, sigma: [Double]) throws {
        let (shape, dtype) = (try tokens.shape, try tokens.dtype)
        guard shape.count == 2, shape[0] == sigma.count, shape[0] > 0, shape[1] > 0, dtype == .int64 else {
            throw SEDDError(
                .usage,
                "expected states int64 [B, L] with B = \(sigma.count) noise levels, found \(dtype.rawValue) \(shape)")
        }
    }

    /// Outputs of the head for M selected positions, float32 [M, V], which ``scores(_:_:)`` turns into scores. On the
    /// CPU each row is a bit-exact function of its hidden vector alone.
    func logits(_ hidden: Tensor) throws -> Tensor {
        try hidden.cast(to: .float32).rowLinear(head.weight, head.bias)
    }

    /// The same with the fastest product, for losses: the last bits of a row may depend on the number of rows.
    func lossLogits(_ hidden: Tensor) throws -> Tensor {
        try hidden.cast(to: .float32).linear(head.weight, head.bias)
    }

    /// The shift subtracted from the logits of a network of scores to give log-scores: log(expm1 sigma) + log n if it
    /// is scaled by sigma, else 0.
    func shift(sigma: Double) -> Double {
        guard configuration.model.scaleBySigma else { return 0 }
        return logExpm1(sigma) + log(Double(configuration.states - 1))
    }

    /// Log-scores of M selected positions, float32 [M, V], with own entry 0.
    ///
    /// - Parameters:
    ///   - hidden: hidden vectors of the positions; [M, d].
    ///   - rows: states and noise of the same positions.
    public func logScore(hidden: Tensor, _ rows: Rows) throws -> LogScore {
        try scores(logits(hidden), rows).logScore(states: rows.states)
    }
}
