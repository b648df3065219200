import Torch

/// Shift, scale and gate of every branch: adaLN of the embedded noise, or constants for a network that is not
/// conditioned on it.
///
/// A block's modulation is [B, 6 d] (shift, scale, gate of attention, then of the MLP), that of the final layer [B, 2
/// d]. The biases of layer norms are shifts that do not depend on noise, with scale 0 and gate 1: both kinds of network
/// run through the same kernels.
struct Modulations: Sendable {
    private enum Source: Sendable {
        case adaLN(SigmaEmbedding, [(weight: Tensor, bias: Tensor)])
        /// The biases of each layer's norms.
        case biases([[Tensor]])
    }

    private let source: Source
    private let conditioning: Conditioning
    private let device: Device

    init(_ configuration: ModelConfiguration, _ weights: Weights) throws {
        conditioning = configuration.model.conditioning
        device = try weights.flat.device
        let blocks = (0..<configuration.model.nBlocks).map { "blocks.\($0)." }
        if conditioning == .none {
            source = .biases(
                try blocks.map { [try weights($0 + "norm1.bias"), try weights($0 + "norm2.bias")] }
                    + [[try weights("output_layer.norm_final.bias")]])
        } else {
            source = .adaLN(
                try SigmaEmbedding(weights),
                try (blocks + ["output_layer."]).map {
                    (try weights($0 + "adaLN_modulation.weight"), try weights($0 + "adaLN_modulation.bias"))
                })
        }
    }

    /// The sinusoids of the noise that the network is given; [B, frequencies].
    func waves(_ sigma: [Double]) throws -> Tensor {
        try Tensor(
            SigmaEmbedding.waves(conditioning.seen(sigma)), shape: [sigma.count, SigmaEmbedding.frequencies],
            device: device)
    }

    /// The modulation of each block, and of the final layer last.
    ///
    /// - Parameters:
    ///   - waves: ``waves(_:)`` of the noise levels; [B, frequencies].
    ///   - recording: whether gradients may be requested; if not, each row is a bit-exact function of its noise alone.
    func callAsFunction(_ waves: Tensor, recording: Bool) throws -> [Tensor] {
        switch source {
        case .adaLN(let embedding, let layers):
            let condition = try embedding(waves, recording: recording)  // [B, cond]
            return try layers.map { layer in
                try recording
                    ? condition.linear(layer.weight, layer.bias)
                    : condition.rowLinear(layer.weight.detached(), layer.bias.detached())
            }
        case .biases(let layers):
            let sequences = try waves.shape[0]
            return try layers.map { biases in
                let isFinal = biases.count == 1
                let parts = try biases.flatMap { bias in
                    let width = try bias.shape[0]
                    let shift = try recording ? bias : bias.detached()
                    let zero = try Tensor.zeros([width], device: device)
                    return isFinal ? [shift, zero] : [shift, zero, try Tensor.full([width], 1, device: device)]
                }
                let row = try Tensor.concatenated(parts, dimension: 0).unsqueezed(0)  // [1, 6 d] or [1, 2 d]
                return try row.expanded([sequences, row.shape[1]]).contiguous()  // [B, 6 d] or [B, 2 d]
            }
        }
    }
}
