import Torch

/// The trunk by fused kernels, for sampling and, with its own backward pass, for training: on the CPU, and on CUDA devices,
/// where its activations and the factors of its products may be bfloat16.
struct FusedTrunk: Sendable {
    private let configuration: ModelConfiguration
    private let device: Device
    private let embedding: Tensor
    private let sigmaEmbedding: SigmaEmbedding
    private let blocks: [FusedBlock]
    private let modulations: [(weight: Tensor, bias: Tensor)]
    private let finalNorm: Kernels.ModulatedNorm
    private let tables: RotaryTables

    init(_ configuration: ModelConfiguration, _ weights: Weights) throws {
        self.configuration = configuration
        device = try weights.flat.device
        embedding = try weights("vocab_embed.embedding").detached()
        sigmaEmbedding = try SigmaEmbedding(weights)
        blocks = try (0..<configuration.model.nBlocks).map {
            try FusedBlock(weights, index: $0, heads: configuration.model.nHeads)
        }
        let layers = blocks.indices.map { "blocks.\($0)." } + ["output_layer."]
        modulations = try layers.map {
            (try weights($0 + "adaLN_modulation.weight"), try weights($0 + "adaLN_modulation.bias"))
        }
        finalNorm = try .init(
            weight: weights("output_layer.norm_final.weight").detached(), shiftPart: 0, scalePart: 1,
            epsilon: layerNormEpsilon)
        tables = RotaryTables(width: configuration.model.hiddenSize / configuration.model.nHeads, device: device)
    }

    /// What the backward pass needs of the forward one.
    struct Tape: Sendable {
        let tokens: Tensor
        let rotary: RotaryPositions
        /// Recorded outputs of the adaLN layers, the final one last.
        let modulations: [Tensor]
        let blocks: [FusedBlock.Tape]
        let last, statistics: Tensor
    }

    /// Hidden vectors [R, d]; the tape only where it is asked for.
    ///
    /// - Parameter tokens: states; int64 [B, L].
    func forward(
        _ tokens: Tensor, sigma: [Double], dropout: Dropout?, recording: Bool
    ) throws -> (hidden: Tensor, tape: Tape?) {
        let waves = try Tensor(
            SigmaEmbedding.waves(sigma), shape: [sigma.count, SigmaEmbedding.frequencies], device: device)
        return try forward(
            tokens, waves: waves, rotary: rotary(length: tokens.shape[1]), dropout: dropout, recording: recording)
    }

    /// Those of a text's length.
    func rotary(length: Int) throws -> RotaryPositions { try tables(length) }

    /// The same from arrays on the device alone.
    ///
    /// - Parameter waves: ``SigmaEmbedding/waves(_:)`` of the noise; [B, frequencies].
    func forward(
        _ tokens: Tensor, waves: Tensor, rotary: RotaryPositions, dropout: Dropout?, recording: Bool
    ) throws -> (hidden: Tensor, tape: Tape?) {
        let shape = try tokens.shape
        let condition = try sigmaEmbedding(waves, recording: recording)  // [B, cond]
        let recorded = try modulations.map { layer in
            try recording
                ? condition.linear(layer.weight, layer.bias)
                : condition.rowLinear(layer.weight.detached(), layer.bias.detached())
        }  // [B, 6 d], the last [B, 2 d]
        let parts = try recorded.map { try $0.detached() }
        var x = try embedding.embedding(tokens).reshaped([shape[0] * shape[1], configuration.model.hiddenSize])
        var tapes: [FusedBlock.Tape] = []
        for (block, modulation) in zip(blocks, parts) {
            let (y, tape) = try block.forward(
                x, modulation: modulation, rotary: rotary, dropout: dropout, recording: recording)
            if let tape { tapes.append(tape) }
            x = y
        }
        let (hidden, statistics) = try finalNorm.forward(x, parts[blocks.count])
        guard recording else { return (hidden, nil) }
        return (
            hidden,
            Tape(tokens: tokens, rotary: rotary, modulations: recorded, blocks: tapes, last: x, statistics: statistics)
        )
    }

    /// Adds the gradients of all weights of the trunk to `gradients`, where their adaLN layers also keep theirs.
    ///
    /// - Parameter hiddenGradient: [R, d].
    func backward(_ tape: Tape, hiddenGradient: Tensor, gradients: Weights) throws {
        let parts = try tape.modulations.map { try $0.detached() }
        var pulled = [try Tensor.empty(parts[blocks.count].shape, device: device)]
        let x = try Tensor.zeros(hiddenGradient.shape, device: device)
        try finalNorm.backward(
            hiddenGradient, x: tape.last, statistics: tape.statistics, modulation: parts[blocks.count], xGradient: x,
            weightGradient: gradients("output_layer.norm_final.weight"), modulationGradient: pulled[0])
        for index in blocks.indices.reversed() {
            pulled.insert(
                try blocks[index].backward(
                    x, tape.blocks[index], modulation: parts[index], rotary: tape.rotary, gradients: gradients),
                at: 0)
        }
        try Kernels.addRows(gradients("vocab_embed.embedding"), x, at: tape.tokens.reshaped([-1]))
        // The small layers on sigma are recorded; they run backwards in one pass.
        try Tensor.concatenated(tape.modulations, dimension: 1)
            .backward(Tensor.concatenated(pulled, dimension: 1))
    }
}
