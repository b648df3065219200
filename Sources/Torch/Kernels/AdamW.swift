import CTorch

extension Kernels {
    /// What one step of AdamW and of the moving average needs beside the arrays.
    public struct AdamW: Sendable {
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

    /// One step over flat float32 arrays of equal length, in one sweep over memory.
    public static func adamW(
        weights: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor, average: Tensor, _ s: AdamW
    ) throws(TorchError) {
        let settings = CTAdamW(
            rate: s.rate, beta1: s.beta1, beta2: s.beta2, epsilon: s.epsilon, decay: s.decay,
            correction1: s.correction1, correction2: s.correction2, gradient_scale: s.gradientScale,
            average_weight: s.averageWeight)
        try check(
            ct_adamw(
                weights.handle, gradient.handle, moment1.handle, moment2.handle, average.handle, settings), "adamw")
    }
}
