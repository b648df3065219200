import CTorch

extension Kernels {
    /// Hyperparameters of a step of Muon and of the moving average.
    public struct Muon: Sendable {
        /// Learning rate, momentum decay, and weight decay.
        public var rate, momentum, decay: Double
        /// Factor on the gradient, from clipping.
        public var gradientScale: Double
        /// Weight of the moving average: average += averageWeight * (weights - average).
        public var averageWeight: Double
        /// Newton-Schulz iterations.
        public var steps: Int
        /// Whether the products of the iterations round to bfloat16.
        public var isInBFloat16: Bool

        /// Creates hyperparameters.
        public init(
            rate: Double, momentum: Double, decay: Double, gradientScale: Double, averageWeight: Double, steps: Int = 5,
            isInBFloat16: Bool = false
        ) {
            self.rate = rate
            self.momentum = momentum
            self.decay = decay
            self.gradientScale = gradientScale
            self.averageWeight = averageWeight
            self.steps = steps
            self.isInBFloat16 = isInBFloat16
        }
    }

    /// A weight matrix with its optimizer state; float32 views of one shape with contiguous rows.
    public struct MuonMatrix: Sendable {
        /// The matrix, its gradient, its momentum and its moving average.
        public let weights, gradient, momentum, average: Tensor
        /// Scale of the update: sqrt(max(1, outputs / inputs)), so that updates have the same effect on outputs for
        /// every shape.
        public let factor: Double

        /// Groups the arrays of a matrix.
        public init(weights: Tensor, gradient: Tensor, momentum: Tensor, average: Tensor, factor: Double) {
            self.weights = weights
            self.gradient = gradient
            self.momentum = momentum
            self.average = average
            self.factor = factor
        }
    }

    /// One step of Muon (Jordan et al. 2024) over matrices of one shape: momentum, orthogonalization in batched
    /// products, update, and moving average.
    public static func muon(_ matrices: [MuonMatrix], _ settings: Muon) throws(TorchError) {
        let (weights, gradients) = (matrices.map(\.weights.handle), matrices.map(\.gradient.handle))
        let (momenta, averages) = (matrices.map(\.momentum.handle), matrices.map(\.average.handle))
        let handle = CTMuon(
            rate: settings.rate, momentum: settings.momentum, decay: settings.decay,
            gradient_scale: settings.gradientScale, average_weight: settings.averageWeight,
            steps: Int64(settings.steps), in_bfloat16: settings.isInBFloat16)
        try check(
            ct_muon(
                weights, gradients, momenta, averages, matrices.map(\.factor), Int32(matrices.count), handle), "muon")
        withExtendedLifetime(matrices) {}
    }

    /// The matrices [count, rows, columns] with their singular values moved towards 1 by `steps` Newton-Schulz
    /// iterations, whose products may round to bfloat16.
    public static func orthogonalised(
        _ matrices: Tensor, steps: Int = 5, inBFloat16: Bool = false
    ) throws(TorchError) -> Tensor {
        try Tensor.make("orthogonalised") { ct_orthogonalised(matrices.handle, Int64(steps), inBFloat16, $0) }
    }
}
