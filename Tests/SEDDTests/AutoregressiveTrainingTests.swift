import Files
import Foundation
import Testing
import Torch

@testable import SEDD

/// The same trainer on the same text, for an autoregressive model.
@Suite struct AutoregressiveTrainingTests {
    private func setting() throws -> TrainingTests.Setting {
        let setting = try TrainingTests.Setting()
        setting.configuration.model.type = .autoregressive
        return setting
    }

    @Test func stoppedAndResumedEqualsUninterrupted() throws {
        let setting = try setting()
        let (whole, _) = try setting.trainer("whole")
        try whole.train { _ in }
        try setting.stopped("parts")
        let (second, run) = try setting.trainer("parts", create: false)
        try second.train { _ in }
        for (a, b) in [(whole.weights, second.weights), (whole.averaged.weights, second.averaged.weights)] {
            #expect(try a.flat.array(Float.self) == b.flat.array(Float.self))
        }
        // A checkpoint is a model folder of GPT-2's layout.
        let loaded = try LanguageModel.load(run.checkpoints.url(step: 12)).autoregressive()
        #expect(try loaded.weights.flat.array(Float.self) == whole.averaged.weights.flat.array(Float.self))
        #expect(loaded.configuration.startToken == 256 && loaded.configuration.outputs == 256)
    }

    @Test func itLearns() throws {
        let setting = try setting()
        setting.configuration.training.nIters = 60
        setting.configuration.training.evalFreq = 60
        setting.configuration.training.ema = 0.9
        setting.configuration.optim.lr = 0.01
        let (trainer, _) = try setting.trainer("run")
        var validations: [Double] = []
        try trainer.train { if case .validation(_, let estimate) = $0 { validations.append(estimate.mean) } }
        #expect(abs(validations[0] - log(256)) < 0.2, "\(validations)")
        #expect(validations[1] < 2.6, "\(validations)")
    }

    @Test func theShortFormOfThePreset() throws {
        for (yaml, overrides) in [
            ("model: autoregressive", []), ("model: {type: autoregressive}", []), ("{}", ["model=autoregressive"]),
        ] {
            let made = try ConfigurationFile.resolve(yaml: yaml, overrides: overrides, source: "test")
            #expect(made.model.type == .autoregressive)
            #expect(made.model.hiddenSize == TrainingConfiguration().model.hiddenSize)
        }
        #expect(throws: SEDDError.self) { try ConfigurationFile.resolve(yaml: "model: gpt", source: "test") }
    }
}
