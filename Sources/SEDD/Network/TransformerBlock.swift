import Torch

/// One block of the trunk.
///
/// (shift, scale, gate) x 2 = adaLN(c); x += gate * dropout(attention(norm(x) (1 + scale) + shift)), then the same with
/// the MLP. Attention is bidirectional; norms have a weight and no bias.
struct TransformerBlock: Sendable {
    let index: Int
    let heads: Int
    let norm1, qkv, out, norm2, up, upBias, down, downBias, modulation, modulationBias: Tensor

    init(_ weights: Weights, index: Int, heads: Int) throws {
        self.index = index
        self.heads = heads
        let prefix = "blocks.\(index)."
        norm1 = try weights(prefix + "norm1.weight")
        qkv = try weights(prefix + "attn_qkv.weight")
        out = try weights(prefix + "attn_out.weight")
        norm2 = try weights(prefix + "norm2.weight")
        up = try weights(prefix + "mlp.0.weight")
        upBias = try weights(prefix + "mlp.0.bias")
        down = try weights(prefix + "mlp.2.weight")
        downBias = try weights(prefix + "mlp.2.bias")
        modulation = try weights(prefix + "adaLN_modulation.weight")
        modulationBias = try weights(prefix + "adaLN_modulation.bias")
    }

    /// - Parameters:
    ///   - x: [B, L, d].
    ///   - condition: embedded noise; [B, cond].
    func callAsFunction(
        _ x: Tensor, condition: Tensor, rotary: RotaryPositions, dropout: Dropout?
    ) throws -> Tensor {
        let d = try x.shape[2]
        let parts = try condition.linear(modulation, modulationBias).unsqueezed(1)  // [B, 1, 6 d]
        func part(_ i: Int) throws -> Tensor { try parts.narrowed(2, from: i * d, length: d) }

        let attended = try attention(modulate(x, norm1, shift: part(0), scale: part(1)), rotary)
        let middle = try x + part(2) * (dropout?(attended, block: index, branch: 0) ?? attended)
        let h = try modulate(middle, norm2, shift: part(3), scale: part(4))
        let mapped = try h.linear(up, upBias).gelu().linear(down, downBias)
        return try middle + part(5) * (dropout?(mapped, block: index, branch: 1) ?? mapped)
    }

    private func attention(_ x: Tensor, _ rotary: RotaryPositions) throws -> Tensor {
        let shape = try x.shape
        let (b, l, d) = (shape[0], shape[1], shape[2])
        let joint = try x.linear(qkv).reshaped([b, l, 3, heads, d / heads])
        let turned = try rotary(joint.narrowed(2, from: 0, length: 2))
        func head(_ x: Tensor, _ i: Int) throws -> Tensor { try x.selected(2, i).transposed(1, 2) }  // [B, h, L, w]
        let mixed = try Tensor.attention(query: head(turned, 0), key: head(turned, 1), value: head(joint, 2))
        return try mixed.transposed(1, 2).reshaped([b, l, d]).linear(out)
    }
}

/// norm(x) (1 + scale) + shift; x [B, L, d], shift and scale [B, 1, d].
func modulate(_ x: Tensor, _ weight: Tensor, shift: Tensor, scale: Tensor) throws -> Tensor {
    try x.layerNorm(weight, epsilon: layerNormEpsilon) * (scale + 1) + shift
}

/// What keeps a layer norm finite on a constant row; the released value.
let layerNormEpsilon = 1e-5
