import CTorch

extension Kernels {
    /// What one step of AdamW and of the moving average needs beside the arrays.
    public struct AdamW: Sendable {
        /// The learning rate, the decays of both moments, what keeps the quotient finite, and the decay of the weights.
        public var rate, beta1, beta2, epsilon, decay: Double
        /// 1 - beta^step.
        public var correction1, correction2: Double
        /// What the gradient is multiplied by first: the clipping factor.
        public var gradientScale: Double
        /// average += averageWeight * (weights - average).
        public var averageWeight: Double

        public init(
            rate: Double, beta1: Double, beta2: Double, epsilon: Double, decay: Double, correction1: Double,
            correction2: Double, gradientScale: Double, averageWeight: Double
        ) {
            self.rate = rate
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.decay = decay
            self.correction1 = correction1
            self.correction2 = correction2
            self.gradientScale = gradientScale
            self.averageWeight = averageWeight
        }
    }

    /// One step over flat float32 arrays of equal length: in one sweep over memory where there are kernels, by the engine's
    /// operators elsewhere.
    ///
    /// - Parameter copies: of the weights and of the average in bfloat16, brought up to date in the same sweep; on CUDA devices.
    public static func adamW(
        weights: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor, average: Tensor,
        copies: (weights: Tensor?, average: Tensor?) = (nil, nil), _ settings: AdamW
    ) throws(TorchError) {
        guard try weights.device.hasKernels else {
            return try adamWPlain(
                weights: weights, gradient: gradient, moment1: moment1, moment2: moment2, average: average, settings)
        }
        try check(
            ct_adamw(
                weights.handle, gradient.handle, moment1.handle, moment2.handle, average.handle,
                copies.weights?.handle ?? CTTensor(), copies.average?.handle ?? CTTensor(), settings.handle),
            "adamw")
    }

    /// The same by the engine's operators, which the sweep is compared with.
    static func adamWPlain(
        weights: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor, average: Tensor, _ settings: AdamW
    ) throws(TorchError) {
        try check(
            ct_adamw_plain(
                weights.handle, gradient.handle, moment1.handle, moment2.handle, average.handle, settings.handle),
            "adamw")
    }
}

extension Kernels.AdamW {
    var handle: CTAdamW {
        CTAdamW(
            rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, decay: decay, correction1: correction1,
            correction2: correction2, gradient_scale: gradientScale, average_weight: averageWeight)
    }
}
