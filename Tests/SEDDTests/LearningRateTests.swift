import Foundation
import Testing

@testable import SEDD

struct LearningRateTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let schedule: LearningRateSchedule
        var decay: Double?
        var floor = 0.0
        var warmup = 0
        let steps: Int
        /// Factors by step.
        let expected: [Int: Double]
        var testDescription: String { name }
    }

    @Test(arguments: [
        Case(
            name: "constant after a warm-up", schedule: .constant, warmup: 4, steps: 10,
            expected: [1: 0.25, 2: 0.5, 4: 1, 5: 1, 10: 1]),
        Case(
            name: "linear from the first step", schedule: .linear, steps: 9,
            expected: [1: 0.9, 2: 0.8, 5: 0.5, 9: 0.1]),
        Case(
            name: "linear after a warm-up", schedule: .linear, warmup: 2, steps: 9,
            expected: [1: 0.5, 2: 1, 3: 0.875, 9: 0.125]),
        Case(
            name: "linear over the last half", schedule: .linear, decay: 0.5, warmup: 2, steps: 8,
            expected: [1: 0.5, 4: 1, 5: 0.8, 6: 0.6, 8: 0.2]),
        Case(
            name: "a decay of the whole run starts after the warm-up", schedule: .linear, decay: 1, warmup: 2, steps: 9,
            expected: [1: 0.5, 2: 1, 3: 0.875, 9: 0.125]),
        Case(
            name: "linear to a floor", schedule: .linear, floor: 0.5, steps: 9,
            expected: [1: 0.95, 5: 0.75, 9: 0.55]),
        Case(
            name: "cosine", schedule: .cosine, steps: 3,
            expected: [1: 0.5 + 0.5 * 0.5.squareRoot(), 2: 0.5, 3: 0.5 - 0.5 * 0.5.squareRoot()]),
        Case(
            name: "wsd over the last fifth", schedule: .wsd, warmup: 1, steps: 15,
            expected: [1: 1, 12: 1, 13: 0.5, 14: 1 - 0.5.squareRoot(), 15: 1 - 0.75.squareRoot()]),
        Case(name: "a decay of nothing", schedule: .wsd, decay: 0, steps: 5, expected: [1: 1, 5: 1]),
        Case(name: "a warm-up as long as the run", schedule: .cosine, warmup: 4, steps: 4, expected: [2: 0.5, 4: 1]),
    ])
    func factors(_ test: Case) {
        var optim = TrainingConfiguration.Optimizer()
        (optim.schedule, optim.decay, optim.floor, optim.warmup) = (test.schedule, test.decay, test.floor, test.warmup)
        let rate = LearningRate(optim, steps: test.steps)
        for (step, factor) in test.expected {
            #expect(abs(rate.factor(step) - factor) < 1e-12, "step \(step): \(rate.factor(step)), expected \(factor)")
        }
    }

    @Test(arguments: LearningRateSchedule.allCases)
    func ratesNeverRiseAfterTheWarmUpAndStayAboveTheFloor(_ schedule: LearningRateSchedule) {
        var optim = TrainingConfiguration.Optimizer()
        (optim.schedule, optim.warmup, optim.floor) = (schedule, 10, 0.1)
        let rate = LearningRate(optim, steps: 1000)
        let factors = (10...1000).map(rate.factor)
        #expect(zip(factors, factors.dropFirst()).allSatisfy { $0 >= $1 })
        #expect(factors.allSatisfy { $0 > 0.1 && $0 <= 1 })
        #expect(schedule == .constant || factors[factors.count - 1] < 0.12)
    }

    @Test func averageFollowsTheReferencesRule() {
        let rule = OptimizerStep(TrainingConfiguration())
        #expect(rule.decay(1) == 2.0 / 11)
        #expect(rule.decay(100) == 101.0 / 110)
        #expect(rule.decay(1_000_000) == 0.9999)
        #expect(abs(rule.rate(250) - 3e-5) < 1e-18)
        #expect(rule.rate(9999) == 3e-4)
    }

    @Test(arguments: [(nil, 0.9999), (200.0, 0.995), (1.0, 0), (0.1, 0.996), (0.0001, 0)] as [(Double?, Double)])
    func averageByHorizon(_ horizon: Double?, _ decay: Double) {
        var configuration = TrainingConfiguration()
        configuration.training.emaHorizon = horizon
        #expect(abs(configuration.training.averageDecay - decay) < 1e-12)
    }
}
