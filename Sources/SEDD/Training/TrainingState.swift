import Torch

/// What changes from step to step: the weights, their gradients, the optimizer's moments and the moving average.
struct TrainingState: Sendable {
    /// What the optimizer moves.
    let weights: Weights
    let gradients: Weights
    let moment1: Weights
    let moment2: Weights
    /// The moving average, which is what a model folder holds.
    let average: Weights
    /// Steps done.
    var step = 0
    /// The lowest validation so far, nats per token, and its step.
    var best: Best?

    struct Best: Sendable, Codable, Equatable {
        var step: Int
        var validation: Double
    }

    /// A state at step 0 around `weights`.
    init(_ weights: Weights) throws {
        self.weights = weights
        let device = try weights.flat.device
        gradients = try Weights(layout: weights.layout, device: device)
        moment1 = try Weights(layout: weights.layout, device: device)
        moment2 = try Weights(layout: weights.layout, device: device)
        average = try weights.copied()
        for entry in weights.layout.entries {
            let weight = try weights(entry.name)
            try weight.requireGradient()
            try weight.accumulateGradient(into: gradients(entry.name))
        }
    }
}
