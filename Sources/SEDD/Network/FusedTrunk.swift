import Torch

/// The trunk computed by fused kernels, for sampling and (with its own backward pass) training: on the CPU, and on CUDA
/// devices, where activations and matrix product inputs may be bfloat16.
struct FusedTrunk: Sendable {
    private let configuration: ModelConfiguration
    private let device: Device
    private let embedding: Tensor
    private let modulations: Modulations
    private let blocks: [FusedBlock]
    private let finalNorm: Kernels.ModulatedNorm
    private let tables: RotaryTables

    init(_ configuration: ModelConfiguration, _ weights: Weights) throws {
        self.configuration = configuration
        device = try weights.flat.device
        embedding = try weights("vocab_embed.embedding").detached()
        modulations = try Modulations(configuration, weights)
        blocks = try (0..<configuration.model.nBlocks).map {
            try FusedBlock(weights, index: $0, heads: configuration.model.nHeads)
        }
        finalNorm = try .init(
            weight: weights("output_layer.norm_final.weight").detached(), shiftPart: 0, scalePart: 1,
            epsilon: layerNormEpsilon)
        tables = RotaryTables(width: configuration.model.hiddenSize / configuration.model.nHeads, device: device)
    }

    /// Activations that the backward pass needs.
    struct Tape: Sendable {
        let tokens: Tensor
        let rotary: RotaryPositions
        /// The modulations, recorded by autograd; the final layer's last.
        let modulations: [Tensor]
        let blocks: [FusedBlock.Tape]
        let last, statistics: Tensor
    }

    /// Hidden vectors [R, d], with the tape if it is requested.
    ///
    /// - Parameter tokens: states; int64 [B, L].
    func forward(
        _ tokens: Tensor, sigma: [Double], dropout: Dropout?, recording: Bool
    ) throws -> (hidden: Tensor, tape: Tape?) {
        try forward(
            tokens, waves: modulations.waves(sigma), rotary: rotary(length: tokens.shape[1]), dropout: dropout,
            recording: recording)
    }

    /// Rotary tables for `length` positions.
    func rotary(length: Int) throws -> RotaryPositions { try tables(length) }

    /// The same from tensors already on the device.
    ///
    /// - Parameter waves: ``Modulations/waves(_:)`` of the noise levels; [B, frequencies].
    func forward(
        _ tokens: Tensor, waves: Tensor, rotary: RotaryPositions, dropout: Dropout?, recording: Bool
    ) throws -> (hidden: Tensor, tape: Tape?) {
        let shape = try tokens.shape
        let recorded = try modulations(waves, recording: recording)  // [B, 6 d], the last [B, 2 d]
        let slices = try recorded.map { try $0.detached() }
        let rows = shape[0] * shape[1]
        var x = try embedding.embedding(tokens).reshaped([rows, configuration.model.hiddenSize])  // [R, d]
        var tapes: [FusedBlock.Tape] = []
        for (block, modulation) in zip(blocks, slices) {
            let (y, tape) = try block.forward(
                x, modulation: modulation, rotary: rotary, dropout: dropout, recording: recording)
            if let tape { tapes.append(tape) }
            x = y
        }
        let (hidden, statistics) = try finalNorm.forward(x, slices[blocks.count])  // [R, d], [R, 2]
        guard recording else { return (hidden, nil) }
        return (
            hidden,
            Tape(tokens: tokens, rotary: rotary, modulations: recorded, blocks: tapes, last: x, statistics: statistics)
        )
    }

    /// Adds the gradients of all weights of the trunk to `gradients`, which also hold autograd's gradients of the
    /// modulations.
    ///
    /// - Parameter hiddenGradient: [R, d].
    func backward(_ tape: Tape, hiddenGradient: Tensor, gradients: Weights) throws {
        let slices = try tape.modulations.map { try $0.detached() }
        var modulationGradients = [try Tensor.empty(slices[blocks.count].shape, device: device)]
        let x = try Tensor.zeros(hiddenGradient.shape, device: device)  // [R, d]
        try finalNorm.backward(
            hiddenGradient, x: tape.last, statistics: tape.statistics, modulation: slices[blocks.count], xGradient: x,
            weightGradient: gradients("output_layer.norm_final.weight"), modulationGradient: modulationGradients[0])
        for index in blocks.indices.reversed() {
            modulationGradients.insert(
                try blocks[index].backward(
                    x, tape.blocks[index], modulation: slices[index], rotary: tape.rotary, gradients: gradients),
                at: 0)
        }
        try Kernels.addRows(gradients("vocab_embed.embedding"), x, at: tape.tokens.reshaped([-1]))
        // The layers that produce the modulations are small: autograd records them and runs them backward in one pass.
        try Tensor.concatenated(tape.modulations, dimension: 1)
            .backward(Tensor.concatenated(modulationGradients, dimension: 1))
    }
}
