import Torch

/// A block of the trunk computed by fused kernels, with a hand-written backward pass instead of autograd.
/// ``TransformerBlock`` has the formula in plain operators, with which the tests compare it. Between its norms and
/// gates it computes in the precision of the weights; the residual stream is float32.
struct FusedBlock: Sendable {
    private let index, heads: Int
    /// Precision of everything between norms and gates.
    private let element: DType
    private let qkv, out, up, down: BlockMatrix
    private let upBias, downBias: Tensor
    private let norm1, norm2: Kernels.ModulatedNorm

    init(_ weights: Weights, index: Int, heads: Int) throws {
        self.index = index
        self.heads = heads
        element = weights.precision == .bf16 ? .bfloat16 : .float32
        func weight(_ name: String) throws -> Tensor { try weights("blocks.\(index).\(name)").detached() }
        func matrix(_ name: String) throws -> BlockMatrix { try BlockMatrix(weights, "blocks.\(index).\(name)") }
        qkv = try matrix("attn_qkv.weight")
        out = try matrix("attn_out.weight")
        up = try matrix("mlp.0.weight")
        upBias = try weight("mlp.0.bias")
        down = try matrix("mlp.2.weight")
        downBias = try weight("mlp.2.bias")
        norm1 = try .init(weight: weight("norm1.weight"), shiftPart: 0, scalePart: 1, epsilon: layerNormEpsilon)
        norm2 = try .init(weight: weight("norm2.weight"), shiftPart: 3, scalePart: 4, epsilon: layerNormEpsilon)
    }

    /// Activations that the backward pass needs; rows R = B L. Whatever is cheap is recomputed instead.
    struct Tape: Sendable {
        let input, statistics1: Tensor
        let attention: Kernels.Attention.Tape
        let context, projected: Tensor
        let residual, statistics2: Tensor
        /// Input of GELU before its bias, [R, 4 d].
        let fc1, fc2: Tensor
        let attentionGate, mlpGate: Kernels.GatedResidual
    }

    /// The output [R, d], with the tape if it is requested.
    ///
    /// - Parameters:
    ///   - x: [R, d].
    ///   - modulation: shift, scale and gate of both branches; [B, 6 d].
    func forward(
        _ x: Tensor, modulation: Tensor, rotary: RotaryPositions, dropout: Dropout?, recording: Bool
    ) throws -> (y: Tensor, tape: Tape?) {
        let (normed1, statistics1) = try norm1.forward(x, modulation, as: element)  // [R, d], [R, 2]
        let joint = try qkv(normed1, recording: recording)  // [R, 3 d]
        let (context, attention) = try attention(rotary).mix(joint, recording: recording)  // [R, d]
        let projected = try out(context, recording: recording)  // [R, d]
        let attentionGate = Kernels.GatedResidual(
            bias: nil, gatePart: 2, dropout: dropout?.of(block: index, branch: 0))
        let residual = try attentionGate.forward(x, branch: projected, modulation)  // [R, d]
        let (normed2, statistics2) = try norm2.forward(residual, modulation, as: element)  // [R, d], [R, 2]
        let fc1 = try up(normed2, recording: recording)  // [R, 4 d]
        let fc2 = try down(Kernels.biasGelu(fc1, bias: upBias), recording: recording)  // [R, d]
        let mlpGate = Kernels.GatedResidual(
            bias: downBias, gatePart: 5, dropout: dropout?.of(block: index, branch: 1))
        let y = try mlpGate.forward(residual, branch: fc2, modulation)  // [R, d]
        guard let attention else { return (y, nil) }
        return (
            y,
            Tape(
                input: x, statistics1: statistics1, attention: attention, context: context, projected: projected,
                residual: residual, statistics2: statistics2, fc1: fc1, fc2: fc2, attentionGate: attentionGate,
                mlpGate: mlpGate)
        )
    }

    /// The gradient of the block's input; adds the gradients of its weights to `gradients`.
    ///
    /// - Parameter yGradient: gradient of the output [R, d]; overwritten with the result.
    /// - Returns: the gradient of the modulation [B, 6 d].
    func backward(
        _ yGradient: Tensor, _ tape: Tape, modulation: Tensor, rotary: RotaryPositions, gradients: Weights
    ) throws -> Tensor {
        func gradient(_ name: String) throws -> Tensor { try gradients("blocks.\(index).\(name)") }
        let modulationGradient = try Tensor.empty(modulation.shape, device: modulation.device)  // [B, 6 d]

        let fc2Gradient = try tape.mlpGate.backward(
            yGradient, branch: tape.fc2, modulation: modulation, biasGradient: gradient("mlp.2.bias"),
            modulationGradient: modulationGradient)
        let fc1Gradient = try down.inputGradient(fc2Gradient)  // [R, 4 d]
        let activated = try Kernels.biasGeluBackward(
            fc1Gradient, u: tape.fc1, bias: upBias, biasGradient: gradient("mlp.0.bias"))
        try down.addGradient(fc2Gradient, x: activated, to: gradient("mlp.2.weight"))
        let normed2 = try norm2.backward(
            up.inputGradient(fc1Gradient), x: tape.residual, statistics: tape.statistics2, modulation: modulation,
            xGradient: yGradient, weightGradient: gradient("norm2.weight"), modulationGradient: modulationGradient)
        try up.addGradient(fc1Gradient, x: normed2, to: gradient("mlp.0.weight"))

        let projectedGradient = try tape.attentionGate.backward(
            yGradient, branch: tape.projected, modulation: modulation, biasGradient: nil,
            modulationGradient: modulationGradient)
        try out.addGradient(projectedGradient, x: tape.context, to: gradient("attn_out.weight"))
        let jointGradient = try attention(rotary).backward(
            out.inputGradient(projectedGradient), tape.attention)  // [R, 3 d]
        let normed1 = try norm1.backward(
            qkv.inputGradient(jointGradient), x: tape.input, statistics: tape.statistics1, modulation: modulation,
            xGradient: yGradient, weightGradient: gradient("norm1.weight"), modulationGradient: modulationGradient)
        try qkv.addGradient(jointGradient, x: normed1, to: gradient("attn_qkv.weight"))
        return modulationGradient
    }

    private func attention(_ rotary: RotaryPositions) -> Kernels.Attention {
        Kernels.Attention(cosine: rotary.cosine, sine: rotary.sine, heads: heads)
    }
}
