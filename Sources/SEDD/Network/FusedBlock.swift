import Torch

/// A block of the trunk by fused kernels, with a backward pass of its own instead of a tape; see ``TransformerBlock`` for
/// the formula in plain operators, which the tests compare this with. Between its norms and its gates it computes in the
/// precision of the weights; what runs through the blocks is float32.
struct FusedBlock: Sendable {
    private let index, heads: Int
    /// Of what lies between norms and gates.
    private let element: DType
    private let qkv, out, up, upBias, down, downBias: Tensor
    private let norm1, norm2: Kernels.ModulatedNorm

    init(_ weights: Weights, index: Int, heads: Int) throws {
        self.index = index
        self.heads = heads
        element = weights.precision == .bf16 ? .bfloat16 : .float32
        func weight(_ name: String) throws -> Tensor { try weights("blocks.\(index).\(name)").detached() }
        func matrix(_ name: String) throws -> Tensor { try weights.matrix("blocks.\(index).\(name)") }
        qkv = try matrix("attn_qkv.weight")
        out = try matrix("attn_out.weight")
        up = try matrix("mlp.0.weight")
        upBias = try weight("mlp.0.bias")
        down = try matrix("mlp.2.weight")
        downBias = try weight("mlp.2.bias")
        norm1 = try .init(weight: weight("norm1.weight"), shiftPart: 0, scalePart: 1, epsilon: layerNormEpsilon)
        norm2 = try .init(weight: weight("norm2.weight"), shiftPart: 3, scalePart: 4, epsilon: layerNormEpsilon)
    }

    /// What the backward pass needs of the forward one; rows R = B L. What is cheap is made anew instead.
    struct Tape: Sendable {
        let input, statistics1: Tensor
        let attention: Kernels.Attention.Tape
        let mixed, attended: Tensor
        let middle, statistics2: Tensor
        /// Before GELU and its bias, [R, 4 d].
        let raised, mapped: Tensor
        let attentionGate, mlpGate: Kernels.GatedResidual
    }

    /// The output [R, d], and the tape where it is asked for.
    ///
    /// - Parameters:
    ///   - x: [R, d].
    ///   - modulation: shift, scale and gate of both branches; [B, 6 d].
    func forward(
        _ x: Tensor, modulation: Tensor, rotary: RotaryPositions, dropout: Dropout?, recording: Bool
    ) throws -> (y: Tensor, tape: Tape?) {
        let (normed1, statistics1) = try norm1.forward(x, modulation, as: element)
        // Without a tape each row is a function of its sequence alone, to the bit; with one the fastest product will do.
        let product = { (x: Tensor, weight: Tensor) in try recording ? x.linear(weight) : x.rowLinear(weight) }
        let joint = try product(normed1, qkv)  // [R, 3 d]
        let (mixed, attention) = try attention(rotary).mix(joint, recording: recording)
        let attended = try product(mixed, out)  // [R, d]
        let attentionGate = Kernels.GatedResidual(
            bias: nil, gatePart: 2, dropout: dropout?.of(block: index, branch: 0))
        let middle = try attentionGate.forward(x, branch: attended, modulation)
        let (normed2, statistics2) = try norm2.forward(middle, modulation, as: element)
        let raised = try product(normed2, up)  // [R, 4 d]
        let mapped = try product(Kernels.biasGelu(raised, bias: upBias), down)  // [R, d]
        let mlpGate = Kernels.GatedResidual(
            bias: downBias, gatePart: 5, dropout: dropout?.of(block: index, branch: 1))
        let y = try mlpGate.forward(middle, branch: mapped, modulation)
        guard let attention else { return (y, nil) }
        return (
            y,
            Tape(
                input: x, statistics1: statistics1, attention: attention, mixed: mixed, attended: attended,
                middle: middle, statistics2: statistics2, raised: raised, mapped: mapped, attentionGate: attentionGate,
                mlpGate: mlpGate)
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
        let modulationGradient = try Tensor.empty(modulation.shape, device: modulation.device)

        let mappedGradient = try tape.mlpGate.backward(
            yGradient, branch: tape.mapped, modulation: modulation, biasGradient: gradient("mlp.2.bias"),
            modulationGradient: modulationGradient)
        let raisedGradient = try mappedGradient.matmul(down)
        let activated = try Kernels.biasGeluBackward(
            raisedGradient, u: tape.raised, bias: upBias, biasGradient: gradient("mlp.0.bias"))
        try gradient("mlp.2.weight").addTransposedProductInPlace(mappedGradient, activated)
        let normed2 = try norm2.backward(
            raisedGradient.matmul(up), x: tape.middle, statistics: tape.statistics2, modulation: modulation,
            xGradient: yGradient, weightGradient: gradient("norm2.weight"), modulationGradient: modulationGradient)
        try gradient("mlp.0.weight").addTransposedProductInPlace(raisedGradient, normed2)

        let attendedGradient = try tape.attentionGate.backward(
            yGradient, branch: tape.attended, modulation: modulation, biasGradient: nil,
            modulationGradient: modulationGradient)
        try gradient("attn_out.weight").addTransposedProductInPlace(attendedGradient, tape.mixed)
        let jointGradient = try attention(rotary).backward(
            attendedGradient.matmul(out), tape.attention)
        let normed1 = try norm1.backward(
            jointGradient.matmul(qkv), x: tape.input, statistics: tape.statistics1, modulation: modulation,
            xGradient: yGradient, weightGradient: gradient("norm1.weight"), modulationGradient: modulationGradient)
        try gradient("attn_qkv.weight").addTransposedProductInPlace(jointGradient, normed1)
        return modulationGradient
    }

    private func attention(_ rotary: RotaryPositions) -> Kernels.Attention {
        Kernels.Attention(cosine: rotary.cosine, sine: rotary.sine, heads: heads)
    }
}
