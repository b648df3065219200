import Torch

/// One block of GPT-2: x += attention(norm(x)), x += mlp(norm(x)); attention is causal and layer norms have a bias.
struct AutoregressiveBlock: Sendable {
    private let index, heads: Int
    private let epsilon: Double
    private let isExactGelu: Bool
    private let norm1, norm1Bias, qkv, qkvBias, out, outBias: Tensor
    private let norm2, norm2Bias, up, upBias, down, downBias: Tensor

    init(_ weights: Weights, index: Int, configuration: AutoregressiveConfiguration) throws {
        self.index = index
        heads = configuration.nHeads
        epsilon = configuration.normEpsilon
        isExactGelu = configuration.hasExactGelu
        func weight(_ name: String) throws -> Tensor { try weights("transformer.h.\(index).\(name)") }
        (norm1, norm1Bias) = (try weight("ln_1.weight"), try weight("ln_1.bias"))
        (qkv, qkvBias) = (try weight("attn.c_attn.weight"), try weight("attn.c_attn.bias"))
        (out, outBias) = (try weight("attn.c_proj.weight"), try weight("attn.c_proj.bias"))
        (norm2, norm2Bias) = (try weight("ln_2.weight"), try weight("ln_2.bias"))
        (up, upBias) = (try weight("mlp.c_fc.weight"), try weight("mlp.c_fc.bias"))
        (down, downBias) = (try weight("mlp.c_proj.weight"), try weight("mlp.c_proj.bias"))
    }

    /// - Parameters:
    ///   - x: [B, T, d].
    ///   - cache: keys and values of the preceding positions; those of `x` are appended.
    func callAsFunction(_ x: Tensor, cache: KeyValueCache?, dropout: Dropout?) throws -> Tensor {
        let shape = try x.shape
        let (b, t, d) = (shape[0], shape[1], shape[2])
        let joint = try project(x.layerNorm(norm1, epsilon: epsilon) + norm1Bias, self.qkv, qkvBias)
            .reshaped([b, t, 3, heads, d / heads])  // [B, T, 3, h, w]
        let qkv = try (0..<3).map { try joint.selected(2, $0).transposed(1, 2) }  // each [B, h, T, w]
        let (keys, values) =
            try cache?.extended(block: index, keys: qkv[1], values: qkv[2]) ?? (qkv[1], qkv[2])  // [B, h, K, w]
        let context = try Tensor.attention(query: qkv[0], key: keys, value: values, causal: t > 1)  // [B, h, T, w]
        let projected = try project(context.transposed(1, 2).reshaped([b, t, d]), out, outBias)  // [B, T, d]
        let residual = try x + (dropout?(projected, block: index, branch: 0) ?? projected)  // [B, T, d]
        let fc1 = try project(residual.layerNorm(norm2, epsilon: epsilon) + norm2Bias, up, upBias)  // [B, T, 4 d]
        let fc2 = try project(isExactGelu ? fc1.exactGelu() : fc1.gelu(), down, downBias)  // [B, T, d]
        return try residual + (dropout?(fc2, block: index, branch: 1) ?? fc2)  // [B, T, d]
    }

    /// x W + b for W [in, out].
    private func project(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) throws -> Tensor {
        try x.linear(weight.transposed(0, 1), bias)
    }
}
