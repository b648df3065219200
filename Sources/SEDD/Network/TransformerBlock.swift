import Torch

/// One block of the trunk, a DiT block with adaLN conditioning (appendix C.2).
///
/// (shift, scale, gate) x 2 by ``Modulations``; x += gate * dropout(attention(norm(x) (1 + scale) + shift)), then the
/// same with the MLP. Attention is bidirectional; norms have a gain, and their biases are shifts.
struct TransformerBlock: Sendable {
    let index: Int
    let heads: Int
    let norm1, qkv, out, norm2, up, upBias, down, downBias: Tensor

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
    }

    /// - Parameters:
    ///   - x: [B, L, d].
    ///   - modulation: [B, 6 d].
    func callAsFunction(
        _ x: Tensor, modulation: Tensor, rotary: RotaryPositions, dropout: Dropout?
    ) throws -> Tensor {
        let d = try x.shape[2]
        let parts = try modulation.unsqueezed(1)  // [B, 1, 6 d]
        func slice(_ i: Int) throws -> Tensor { try parts.narrowed(2, from: i * d, length: d) }

        let projected = try attention(modulate(x, norm1, shift: slice(0), scale: slice(1)), rotary)  // [B, L, d]
        let residual = try x + slice(2) * (dropout?(projected, block: index, branch: 0) ?? projected)  // [B, L, d]
        let h = try modulate(residual, norm2, shift: slice(3), scale: slice(4))  // [B, L, d]
        let fc2 = try h.linear(up, upBias).gelu().linear(down, downBias)  // [B, L, d]
        return try residual + slice(5) * (dropout?(fc2, block: index, branch: 1) ?? fc2)  // [B, L, d]
    }

    private func attention(_ x: Tensor, _ rotary: RotaryPositions) throws -> Tensor {
        let shape = try x.shape
        let (b, l, d) = (shape[0], shape[1], shape[2])
        let joint = try x.linear(qkv).reshaped([b, l, 3, heads, d / heads])  // [B, L, 3, h, w]
        let rotated = try rotary(joint.narrowed(2, from: 0, length: 2))  // [B, L, 2, h, w]
        func head(_ x: Tensor, _ i: Int) throws -> Tensor { try x.selected(2, i).transposed(1, 2) }  // [B, h, L, w]
        let (q, k, v) = (try head(rotated, 0), try head(rotated, 1), try head(joint, 2))  // [B, h, L, w]
        let context = try Tensor.attention(query: q, key: k, value: v)  // [B, h, L, w]
        return try context.transposed(1, 2).reshaped([b, l, d]).linear(out)  // [B, L, d]
    }
}

/// norm(x) (1 + scale) + shift; x [B, L, d], shift and scale [B, 1, d].
func modulate(_ x: Tensor, _ weight: Tensor, shift: Tensor, scale: Tensor) throws -> Tensor {
    try x.layerNorm(weight, epsilon: layerNormEpsilon) * (scale + 1) + shift  // [B, L, d]
}

/// Epsilon of the layer norms, as released.
let layerNormEpsilon = 1e-5
