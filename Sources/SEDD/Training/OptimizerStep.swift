import Foundation
import Torch

/// Learning rates, clipping, AdamW or Muon, and the moving average.
struct OptimizerStep: Sendable {
    private let optim: TrainingConfiguration.Optimizer
    private let learningRate: LearningRate
    /// Decay of the moving average, once warm.
    private let averageDecay: Double

    /// Epsilon of the clipping factor, as in PyTorch.
    static let clipEpsilon = 1e-6

    init(_ configuration: TrainingConfiguration) {
        optim = configuration.optim
        learningRate = LearningRate(optim, steps: configuration.training.nIters)
        averageDecay = configuration.training.averageDecay
    }

    /// The learning rate of AdamW at `step`, counted from 1.
    func rate(_ step: Int) -> Double { optim.lr * learningRate.factor(step) }

    /// Decay of the moving average after `updates` updates; the reference's warm-up rule.
    func decay(_ updates: Int) -> Double { min(averageDecay, Double(1 + updates) / Double(10 + updates)) }

    /// Updates the weights with their gradients, whose norm is given, and then the average.
    func apply(_ state: inout TrainingState, gradientNorm: Double) throws {
        state.step += 1
        let step = Double(state.step)
        let scale = optim.gradClip > 0 ? min(1, optim.gradClip / (gradientNorm + Self.clipEpsilon)) : 1
        let averageWeight = 1 - decay(state.step)
        for sweep in state.plan.sweeps {
            let settings = Kernels.AdamW(
                rate: rate(state.step), beta1: optim.beta1, beta2: optim.beta2, epsilon: optim.eps,
                decay: sweep.decays ? optim.weightDecay : 0, correction1: 1 - pow(optim.beta1, step),
                correction2: 1 - pow(optim.beta2, step), gradientScale: scale, averageWeight: averageWeight)
            try Kernels.adamW(
                weights: sweep.weights, gradient: sweep.gradient, moment1: sweep.moment1, moment2: sweep.moment2,
                average: sweep.average, copies: sweep.copies, settings)
        }
        let settings = Kernels.Muon(
            rate: optim.muonLr * learningRate.factor(state.step), momentum: optim.muonMomentum,
            decay: optim.weightDecay, gradientScale: scale, averageWeight: averageWeight,
            isInBFloat16: state.weights.precision == .bf16Products)
        for group in state.plan.matrices { try Kernels.muon(group, settings) }
        guard !state.plan.matrices.isEmpty || state.weights.precision == .bf16Products else { return }
        try state.weights.refreshBFloat16Copy()
        try state.average.refreshBFloat16Copy()
    }
}
