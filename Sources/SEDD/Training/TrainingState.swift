import Torch

/// What changes from step to step: the weights, their gradients, the optimizer's arrays and the moving average.
struct TrainingState: Sendable {
    /// What the optimizer moves.
    let weights: Weights
    let gradients: Weights
    /// What the optimizer keeps, by name: `moment1` and `moment2` of AdamW, `momentum` of Muon.
    let slots: [(name: String, weights: Weights)]
    /// The moving average, which is what a model folder holds.
    let average: Weights
    /// How the optimizer goes over these arrays.
    let plan: OptimizerPlan
    /// Steps done.
    var step = 0
    /// The lowest validation so far, nats per token, and its step.
    var best: Best?

    struct Best: Sendable, Codable, Equatable {
        var step: Int
        var validation: Double
    }

    /// A state at step 0 around `weights`.
    init(_ weights: Weights, _ optim: TrainingConfiguration.Optimizer = .init()) throws {
        self.weights = weights
        let device = try weights.flat.device
        gradients = try Weights(layout: weights.layout, device: device)
        slots = try OptimizerPlan.slots(optim.type, weights.layout).map {
            ($0.name, try Weights(layout: $0.layout, device: device))
        }
        average = try weights.copied()
        plan = try OptimizerPlan(
            optim, weights: weights, gradients: gradients, average: average,
            slots: Dictionary(uniqueKeysWithValues: slots.map { ($0.name, $0.weights) }))
        for entry in weights.layout.entries {
            let weight = try weights(entry.name)
            try weight.requireGradient()
            try weight.accumulateGradient(into: gradients(entry.name))
        }
    }
}
