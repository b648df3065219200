import Foundation
import Torch

/// Warm-up, clipping, AdamW and the moving average.
struct OptimizerStep: Sendable {
    let optim: TrainingConfiguration.Optimizer
    /// Decay of the moving average, once warm.
    let ema: Double

    /// What keeps the clipping factor finite for a gradient of 0; PyTorch's value.
    static let clipEpsilon = 1e-6

    /// The learning rate at `step`, counted from 1.
    func rate(_ step: Int) -> Double {
        optim.warmup > 0 ? optim.lr * min(Double(step) / Double(optim.warmup), 1) : optim.lr
    }

    /// Decay of the moving average after `updates` updates; the reference's warm-up rule.
    func decay(_ updates: Int) -> Double { min(ema, Double(1 + updates) / Double(10 + updates)) }

    /// Moves the weights by their gradients, whose norm is known, and the average after them.
    func apply(_ state: inout TrainingState, gradientNorm: Double) throws {
        state.step += 1
        let step = Double(state.step)
        let scale = optim.gradClip > 0 ? min(1, optim.gradClip / (gradientNorm + Self.clipEpsilon)) : 1
        let settings = Kernels.AdamW(
            rate: rate(state.step), beta1: optim.beta1, beta2: optim.beta2, epsilon: optim.eps,
            decay: optim.weightDecay, correction1: 1 - pow(optim.beta1, step), correction2: 1 - pow(optim.beta2, step),
            gradientScale: scale, averageWeight: 1 - decay(state.step))
        try Kernels.adamW(
            weights: state.weights.flat, gradient: state.gradients.flat, moment1: state.moment1.flat,
            moment2: state.moment2.flat, average: state.average.flat,
            copies: (state.weights.halved, state.average.halved), settings)
    }
}
