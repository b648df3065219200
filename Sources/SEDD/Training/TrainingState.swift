import Torch

/// The state of training: weights, gradients, the optimizer's arrays and the moving average.
struct TrainingState: Sendable {
    /// The weights updated by the optimizer.
    let weights: Weights
    let gradients: Weights
    /// The optimizer's arrays, by name: `moment1` and `moment2` of AdamW, `momentum` of Muon.
    let slots: [(name: String, weights: Weights)]
    /// The moving average, which is saved as the model.
    let average: Weights
    /// How the optimizer processes these arrays.
    let plan: OptimizerPlan
    /// Losses by time, if the density of times is fitted to them.
    var times = TimeProfile()
    /// Number of steps done.
    var step = 0
    /// The lowest validation so far, nats per token, and its step.
    var best: Best?

    struct Best: Sendable, Codable, Equatable {
        var step: Int
        var validation: Double
    }

    /// Names of the tensors not to train.
    let frozen: Set<String>

    /// Creates a state at step 0 around `weights`.
    ///
    /// - Parameter frozen: names of the tensors not to train.
    init(
        _ weights: Weights, _ optim: TrainingConfiguration.Optimizer = .init(), frozen: Set<String> = []
    ) throws {
        self.frozen = frozen
        self.weights = weights
        let device = try weights.flat.device
        gradients = try Weights(layout: weights.layout, device: device)
        slots = try OptimizerPlan.slots(optim.type, weights.layout, frozen: frozen).map {
            ($0.name, try Weights(layout: $0.layout, device: device))
        }
        // No gradient passes through the average, so products that round in training steps alone do not concern it.
        average = try weights.copied(precision: weights.precision == .bf16Products ? .float32 : nil)
        plan = try OptimizerPlan(
            optim, weights: weights, gradients: gradients, average: average,
            slots: Dictionary(uniqueKeysWithValues: slots.map { ($0.name, $0.weights) }), frozen: frozen)
        try weights.collectGradients(in: gradients)
    }

    /// Sets the gradients of frozen tensors to 0, so that they do not affect the norm.
    func dropFrozenGradients() throws {
        for name in frozen { try gradients(name).zeroInPlace() }
    }
}
