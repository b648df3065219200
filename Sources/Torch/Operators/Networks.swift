import CTorch

/// Matrix products and layers that libtorch implements as one operator.
extension Tensor {
    /// The matrix product, batched over leading dimensions.
    public func matmul(_ other: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make("matmul") { ct_matmul(handle, other.handle, $0) }
    }

    /// x Wᵀ + b for x [.., in], W [out, in], b [out].
    public func linear(_ weight: Tensor, _ bias: Tensor? = nil) throws(TorchError) -> Tensor {
        try Tensor.make("linear") { ct_linear(handle, weight.handle, bias?.handle ?? CTTensor(), $0) }
    }

    /// The same, where each row of the result is a bit-exact function of that row of x alone, whatever the number of
    /// rows and threads. This holds on the CPU for contiguous float32 if no gradient is recorded; otherwise it is
    /// ``linear(_:_:)``.
    public func rowLinear(_ weight: Tensor, _ bias: Tensor? = nil) throws(TorchError) -> Tensor {
        try Tensor.make("row linear") { ct_row_linear(handle, weight.handle, bias?.handle ?? CTTensor(), $0) }
    }

    /// (x - mean) / sqrt(variance + epsilon) * weight over the last dimension, without bias.
    public func layerNorm(_ weight: Tensor, epsilon: Double) throws(TorchError) -> Tensor {
        try Tensor.make("layer norm") { ct_layer_norm(handle, weight.handle, epsilon, $0) }
    }

    /// The rows of `self` [V, d] selected by `index` (int64, any shape); [.., d].
    public func embedding(_ index: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make("embedding") { ct_embedding(handle, index.handle, $0) }
    }

    /// softmax(Q Kᵀ / sqrt(width)) V for [B, heads, L, width], by libtorch's fused kernel if available.
    public static func attention(
        query: Tensor, key: Tensor, value: Tensor, causal: Bool = false
    ) throws(TorchError) -> Tensor {
        try make("attention") { ct_attention(query.handle, key.handle, value.handle, causal, $0) }
    }

    /// Eigenvalues [n] in ascending order and eigenvectors [n, n], in columns, of a symmetric matrix [n, n].
    public func symmetricEigen() throws(TorchError) -> (values: Tensor, vectors: Tensor) {
        var values = CTTensor()
        var vectors = CTTensor()
        try check(ct_symmetric_eigen(handle, &values, &vectors), "symmetric eigen")
        return (Tensor(owning: values), Tensor(owning: vectors))
    }
}
