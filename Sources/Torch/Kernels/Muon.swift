import CTorch

extension Kernels {
    /// What one step of Muon and of the moving average needs beside the matrices.
    public struct Muon: Sendable {
        /// The learning rate, the decay of the momentum, and the decay of the weights.
        public var rate, momentum, decay: Double
        /// What the gradient is multiplied by first: the clipping factor.
        public var gradientScale: Double
        /// average += averageWeight * (weights - average).
        public var averageWeight: Double
        /// Steps of Newton and Schulz's iteration.
        public var steps: Int

        public init(
            rate: Double, momentum: Double, decay: Double, gradientScale: Double, averageWeight: Double, steps: Int = 5
        ) {
            self.rate = rate
            self.momentum = momentum
            self.decay = decay
            self.gradientScale = gradientScale
            self.averageWeight = averageWeight
            self.steps = steps
        }
    }

    /// A weight matrix and what a step of Muon changes with it; float32 views of one shape whose rows are contiguous.
    public struct MuonMatrix: Sendable {
        public let weights, gradient, momentum, average: Tensor
        /// What the step is multiplied by: sqrt(max(1, outputs / inputs)), so that it changes outputs alike at every shape.
        public let factor: Double

        public init(weights: Tensor, gradient: Tensor, momentum: Tensor, average: Tensor, factor: Double) {
            self.weights = weights
            self.gradient = gradient
            self.momentum = momentum
            self.average = average
            self.factor = factor
        }
    }

    /// One step of Muon (Jordan et al. 2024) over matrices of one shape: momentum, its orthogonalisation in batched products,
    /// the step, and the moving average.
    public static func muon(_ matrices: [MuonMatrix], _ settings: Muon) throws(TorchError) {
        let (weights, gradients) = (matrices.map(\.weights.handle), matrices.map(\.gradient.handle))
        let (momenta, averages) = (matrices.map(\.momentum.handle), matrices.map(\.average.handle))
        let handle = CTMuon(
            rate: settings.rate, momentum: settings.momentum, decay: settings.decay,
            gradient_scale: settings.gradientScale, average_weight: settings.averageWeight, steps: Int64(settings.steps)
        )
        try check(
            ct_muon(
                weights, gradients, momenta, averages, matrices.map(\.factor), Int32(matrices.count), handle), "muon")
        withExtendedLifetime(matrices) {}
    }

    /// The matrices [count, rows, columns], each with its singular values sent near 1 by `steps` steps of Newton and Schulz's
    /// iteration.
    public static func orthogonalised(_ matrices: Tensor, steps: Int = 5) throws(TorchError) -> Tensor {
        try Tensor.make("orthogonalised") { ct_orthogonalised(matrices.handle, Int64(steps), $0) }
    }
}
