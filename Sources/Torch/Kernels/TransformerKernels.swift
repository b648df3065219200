import CTorch

extension Kernels {
    /// Layer norm followed by (1 + scale) and shift (adaLN).
    public struct ModulatedNorm: Sendable {
        let weight: Tensor
        let shiftPart, scalePart: Int
        let epsilon: Double

        /// - Parameters:
        ///   - weight: [d].
        ///   - shiftPart, scalePart: indices of the modulation slices.
        public init(weight: Tensor, shiftPart: Int, scalePart: Int, epsilon: Double) {
            self.weight = weight
            self.shiftPart = shiftPart
            self.scalePart = scalePart
            self.epsilon = epsilon
        }

        /// y [R, d], with the mean and inverse standard deviation of each row [R, 2], which the backward pass needs.
        ///
        /// - Parameter dtype: type of y; the CPU supports only float32.
        public func forward(
            _ x: Tensor, _ modulation: Tensor, as dtype: DType = .float32
        ) throws(TorchError) -> (y: Tensor, statistics: Tensor) {
            var y = CTTensor()
            var statistics = CTTensor()
            try check(
                ct_norm_modulate(
                    x.handle, weight.handle, modulation.handle, Int64(shiftPart), Int64(scalePart), epsilon,
                    dtype.handle, &y, &statistics),
                "norm and modulate")
            return (Tensor(owning: y), Tensor(owning: statistics))
        }

        /// Adds to `xGradient` and `weightGradient`, and writes two slices of `modulationGradient`.
        ///
        /// - Returns: y, recomputed.
        @discardableResult
        public func backward(
            _ yGradient: Tensor, x: Tensor, statistics: Tensor, modulation: Tensor, xGradient: Tensor,
            weightGradient: Tensor, modulationGradient: Tensor
        ) throws(TorchError) -> Tensor {
            try Tensor.make("norm and modulate, backward") {
                ct_norm_modulate_backward(
                    yGradient.handle, x.handle, statistics.handle, weight.handle, modulation.handle, Int64(shiftPart),
                    Int64(scalePart), xGradient.handle, weightGradient.handle, modulationGradient.handle, $0)
            }
        }
    }

    /// y = x + gate dropout(branch + bias).
    public struct GatedResidual: Sendable {
        let bias: Tensor?
        let gatePart: Int
        let dropout: Dropout?

        /// - Parameter bias: added to the branch before dropout; [d].
        public init(bias: Tensor?, gatePart: Int, dropout: Dropout?) {
            self.bias = bias
            self.gatePart = gatePart
            self.dropout = dropout
        }

        /// y [R, d] for x and branch [R, d].
        public func forward(_ x: Tensor, branch: Tensor, _ modulation: Tensor) throws(TorchError) -> Tensor {
            try Tensor.make("gated residual") { out in
                dropout.withHandle {
                    ct_gated_residual(
                        x.handle, branch.handle, bias?.handle ?? CTTensor(), modulation.handle, Int64(gatePart), $0, out
                    )
                }
            }
        }

        /// The gradient of the branch [R, d]; adds to `biasGradient` and writes a slice of `modulationGradient`. The
        /// gradient of x is `yGradient` itself.
        public func backward(
            _ yGradient: Tensor, branch: Tensor, modulation: Tensor, biasGradient: Tensor?, modulationGradient: Tensor
        ) throws(TorchError) -> Tensor {
            try Tensor.make("gated residual, backward") { out in
                dropout.withHandle {
                    ct_gated_residual_backward(
                        yGradient.handle, branch.handle, bias?.handle ?? CTTensor(), modulation.handle, Int64(gatePart),
                        $0, biasGradient?.handle ?? CTTensor(), modulationGradient.handle, out)
                }
            }
        }
    }

    /// gelu(u + bias), for u [R, width].
    public static func biasGelu(_ u: Tensor, bias: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make("bias and gelu") { ct_bias_gelu(u.handle, bias.handle, $0) }
    }

    /// Replaces the gradient of gelu(u + bias) with that of u, in place; adds to `biasGradient`.
    ///
    /// - Returns: gelu(u + bias), recomputed.
    public static func biasGeluBackward(
        _ gradient: Tensor, u: Tensor, bias: Tensor, biasGradient: Tensor
    ) throws(TorchError) -> Tensor {
        try Tensor.make("gelu, backward") {
            ct_bias_gelu_backward(gradient.handle, u.handle, bias.handle, biasGradient.handle, $0)
        }
    }

    /// target[index[r]] += rows[r] for target [N, d], rows [R, d], index int64 [R].
    public static func addRows(_ target: Tensor, _ rows: Tensor, at index: Tensor) throws(TorchError) {
        try check(ct_add_rows(target.handle, rows.handle, index.handle), "add rows")
    }
}
