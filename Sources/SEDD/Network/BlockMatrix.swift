import Torch

/// A weight matrix W [out, in] of a block, with its products in the precision of the weights.
struct BlockMatrix: Sendable {
    /// W for passes without a tape, in the type of the activations.
    private let weight: Tensor
    /// W for training steps; its type is that to which both factors of a product are rounded.
    private let trained: Tensor

    init(_ weights: Weights, _ name: String) throws {
        trained = try weights.matrix(name)
        weight = weights.precision == .bf16Products ? try weights(name).detached() : trained
    }

    /// x Wᵀ for x [R, in]; [R, out].
    ///
    /// Without a tape each row is a bit-exact function of that row of x alone; with a tape the fastest product is used.
    func callAsFunction(_ x: Tensor, recording: Bool) throws -> Tensor {
        guard recording else { return try x.rowLinear(weight) }
        return try rounded(x).linear(trained).cast(to: x.dtype)
    }

    /// The gradient of x for the gradient [R, out] of the result; [R, in].
    func inputGradient(_ yGradient: Tensor) throws -> Tensor {
        try rounded(yGradient).matmul(trained).cast(to: yGradient.dtype)
    }

    /// Adds the gradient of W for the gradient [R, out] of the result of x [R, in] to `sum` [out, in].
    func addGradient(_ yGradient: Tensor, x: Tensor, to sum: Tensor) throws {
        try sum.addTransposedProductInPlace(rounded(yGradient), rounded(x))
    }

    private func rounded(_ x: Tensor) throws -> Tensor { try x.cast(to: trained.dtype) }
}
