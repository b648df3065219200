import CTorch

extension Kernels {
    /// Hyperparameters of a step of AdamW and of the moving average.
    public struct AdamW: Sendable {
        /// Learning rate, decay rates of both moments, epsilon, and weight decay.
        public var rate, beta1, beta2, epsilon, decay: Double
        /// Bias corrections 1 - beta^step.
        public var correction1, correction2: Double
        /// Factor on the gradient, from clipping.
        public var gradientScale: Double
        /// Weight of the moving average: average += averageWeight * (weights - average).
        public var averageWeight: Double

        /// Creates the hyperparameters of step `step`.
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

    /// One step of AdamW (Loshchilov and Hutter 2019) over flat float32 arrays of equal length: one pass over memory on
    /// devices with kernels, libtorch's operators elsewhere.
    ///
    /// - Parameter copies: bfloat16 copies of the weights and of the average, updated in the same pass; CUDA only.
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

    /// The same with libtorch's operators, against which the kernel is tested.
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
