import Torch

/// A block of the trunk by fused kernels, with a backward pass of its own instead of a tape; see ``TransformerBlock`` for
/// the formula in plain operators, which the tests compare this with. CPU, float32.
struct FusedBlock: Sendable {
    private let index, heads: Int
    private let qkv, out, up, upBias, down, downBias: Tensor
    private let norm1, norm2: Kernels.ModulatedNorm

    init(_ weights: Weights, index: Int, heads: Int) throws {
        self.index = index
        self.heads = heads
        func weight(_ name: String) throws -> Tensor { try weights("blocks.\(index).\(name)").detached() }
        qkv = try weight("attn_qkv.weight")
        out = try weight("attn_out.weight")
        up = try weight("mlp.0.weight")
        upBias = try weight("mlp.0.bias")
        down = try weight("mlp.2.weight")
        downBias = try weight("mlp.2.bias")
        norm1 = try .init(weight: weight("norm1.weight"), shiftPart: 0, scalePart: 1, epsilon: layerNormEpsilon)
        norm2 = try .init(weight: weight("norm2.weight"), shiftPart: 3, scalePart: 4, epsilon: layerNormEpsilon)
    }

    /// What the backward pass needs of the forward one; rows R = B L.
    struct Tape: Sendable {
        let input, statistics1, normed1: Tensor
        /// Turned queries, turned keys and values, [R, 3 d].
        let joint, mixed, logSums, attended: Tensor
        let middle, statistics2, normed2: Tensor
        /// Before and after GELU, [R, 4 d].
        let raised, activated, mapped: Tensor
        let attentionGate, mlpGate: Kernels.GatedResidual
    }

    /// - Parameters:
    ///   - x: [R, d].
    ///   - modulation: shift, scale and gate of both branches; [B, 6 d].
    func forward(
        _ x: Tensor, modulation: Tensor, rotary: RotaryPositions, dropout: Dropout?
    ) throws -> (y: Tensor, tape: Tape) {
        let (normed1, statistics1) = try norm1.forward(x, modulation)
        let joint = try normed1.linear(qkv)  // [R, 3 d]
        try Kernels.rotate(joint, cosine: rotary.cosine, sine: rotary.sine, heads: heads)
        let parts = try split(joint, sequences: modulation.shape[0])
        let (mixed, logSums) = try Kernels.attention(query: parts[0], key: parts[1], value: parts[2])
        let attended = try merged(mixed).linear(out)  // [R, d]
        let attentionGate = Kernels.GatedResidual(
            bias: nil, gatePart: 2, dropout: dropout?.of(block: index, branch: 0))
        let middle = try attentionGate.forward(x, branch: attended, modulation)
        let (normed2, statistics2) = try norm2.forward(middle, modulation)
        let raised = try normed2.linear(up)  // [R, 4 d]
        let activated = try Kernels.biasGelu(raised, bias: upBias)
        let mapped = try activated.linear(down)  // [R, d]
        let mlpGate = Kernels.GatedResidual(
            bias: downBias, gatePart: 5, dropout: dropout?.of(block: index, branch: 1))
        let y = try mlpGate.forward(middle, branch: mapped, modulation)
        return (
            y,
            Tape(
                input: x, statistics1: statistics1, normed1: normed1, joint: joint, mixed: mixed, logSums: logSums,
                attended: attended, middle: middle, statistics2: statistics2, normed2: normed2, raised: raised,
                activated: activated, mapped: mapped, attentionGate: attentionGate, mlpGate: mlpGate)
        )
    }

    /// The gradient of the block's input; adds those of its weights to `gradients`.
    ///
    /// - Parameter yGradient: that of the output [R, d]; it becomes the result, in place.
    /// - Returns: the gradient of the modulation [B, 6 d].
    func backward(
        _ yGradient: Tensor, _ tape: Tape, modulation: Tensor, rotary: RotaryPositions, gradients: Weights
    ) throws -> Tensor {
        func gradient(_ name: String) throws -> Tensor { try gradients("blocks.\(index).\(name)") }
        let modulationGradient = try Tensor.empty(modulation.shape)

        let mappedGradient = try tape.mlpGate.backward(
            yGradient, branch: tape.mapped, modulation: modulation, biasGradient: gradient("mlp.2.bias"),
            modulationGradient: modulationGradient)
        try gradient("mlp.2.weight").addTransposedProductInPlace(mappedGradient, tape.activated)
        let raisedGradient = try mappedGradient.matmul(down)
        try Kernels.biasGeluBackward(raisedGradient, u: tape.raised, biasGradient: gradient("mlp.0.bias"))
        try gradient("mlp.0.weight").addTransposedProductInPlace(raisedGradient, tape.normed2)
        try norm2.backward(
            raisedGradient.matmul(up), x: tape.middle, statistics: tape.statistics2, modulation: modulation,
            xGradient: yGradient, weightGradient: gradient("norm2.weight"), modulationGradient: modulationGradient)

        let attendedGradient = try tape.attentionGate.backward(
            yGradient, branch: tape.attended, modulation: modulation, biasGradient: nil,
            modulationGradient: modulationGradient)
        try gradient("attn_out.weight").addTransposedProductInPlace(attendedGradient, merged(tape.mixed))
        let parts = try split(tape.joint, sequences: modulation.shape[0])
        let shape = try tape.mixed.shape  // [B, heads, L, width]
        let mixedGradient = try attendedGradient.matmul(out).reshaped([shape[0], shape[2], shape[1], shape[3]])
            .transposed(1, 2)
        let pulled = try Kernels.attentionBackward(
            mixedGradient, query: parts[0], key: parts[1], value: parts[2], out: tape.mixed, logSums: tape.logSums)
        let jointGradient = try Kernels.unrotate(
            query: pulled.query, key: pulled.key, value: pulled.value, cosine: rotary.cosine, sine: rotary.sine)
        try gradient("attn_qkv.weight").addTransposedProductInPlace(jointGradient, tape.normed1)
        try norm1.backward(
            jointGradient.matmul(qkv), x: tape.input, statistics: tape.statistics1, modulation: modulation,
            xGradient: yGradient, weightGradient: gradient("norm1.weight"), modulationGradient: modulationGradient)
        return modulationGradient
    }

    /// Queries, keys and values, each a view [B, heads, L, width] of `joint`.
    private func split(_ joint: Tensor, sequences: Int) throws -> [Tensor] {
        let shape = try joint.shape
        let whole = try joint.reshaped([sequences, shape[0] / sequences, 3, heads, shape[1] / 3 / heads])
        return try (0..<3).map { try whole.selected(2, $0).transposed(1, 2) }
    }

    /// [B, heads, L, width] as rows [R, d].
    private func merged(_ mixed: Tensor) throws -> Tensor {
        let shape = try mixed.shape
        return try mixed.transposed(1, 2).reshaped([shape[0] * shape[2], shape[1] * shape[3]])
    }
}
