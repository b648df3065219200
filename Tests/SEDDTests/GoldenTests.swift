import Foundation
import Testing
import Torch

@testable import SEDD

/// Values, step weights and gradients of the published implementation.
@Suite(
    .enabled(
        if: Shared.hasGolden, "../shared/golden is absent: the comparison with the published implementation is skipped")
)
struct GoldenTests {
    private func load(_ model: String) throws -> (ScoreNetwork, Safetensors) {
        let folder = Shared.golden.appending(path: model)
        return (
            try ModelFolder.load(folder), try Safetensors(contentsOf: folder.appending(path: "expected.safetensors"))
        )
    }

    private func numbers(_ file: Safetensors, _ name: String) throws -> [Double] { try file.tensor(name).array() }

    @Test(arguments: Shared.models)
    func noiseOnAGrid(_ model: String) throws {
        let (network, file) = try load(model)
        let noise = try network.configuration.makeNoise()
        let times = try numbers(file, "noise/t")
        let sigma = Difference(times.map(noise.sigma), try numbers(file, "noise/sigma"))
        let rate = Difference(times.map(noise.sigmaRate), try numbers(file, "noise/dsigma"))
        // The published values were formed in float32, where 1 - (1 - eps) t loses three digits near t = 1.
        #expect(sigma.relative < 1e-5, "sigma: \(sigma)")
        #expect(rate.relative < 1e-4, "rate: \(rate)")
    }

    @Test(arguments: Shared.models)
    func scoresAndLosses(_ model: String) throws {
        let (network, file) = try load(model)
        let folder = try TemporaryFolder()
        let (input, output) = (folder.url.appending(path: "in"), folder.url.appending(path: "out"))
        try Safetensors.write(["t", "xt", "x0"].map { ($0, try file.tensor($0)) }, to: input)
        try Inspection(network: network).run(input: input, output: output, stepSize: nil)
        let found = try Safetensors(contentsOf: output)
        for (name, expected, tolerance) in [
            ("sigma", "sigma", 1e-5), ("sigma_rate", "dsigma", 1e-3), ("log_score", "log_score", 5e-5),
        ] {
            let difference = Difference(try numbers(found, name), try numbers(file, expected))
            #expect(difference.absolute < tolerance, "\(name): \(difference)")
        }
        for name in ["score_entropy", "loss"] {
            let difference = Difference(try numbers(found, name), try numbers(file, name), floor: 1e-3)
            #expect(difference.relative < 1e-4, "\(name): \(difference)")
        }
    }

    @Test(arguments: Shared.models)
    func reverseSteps(_ model: String) throws {
        let (network, file) = try load(model)
        let folder = try TemporaryFolder()
        let (input, output) = (folder.url.appending(path: "in"), folder.url.appending(path: "out"))
        try Safetensors.write([("t", try file.tensor("step/t")), ("xt", try file.tensor("xt"))], to: input)
        let size = try file.tensor("step/size").item()
        try Inspection(network: network).run(input: input, output: output, stepSize: size)
        let found = try Safetensors(contentsOf: output)
        for name in ["euler_probs", "analytic_probs", "denoise_probs"] {
            let expected = try numbers(file, "step/" + name)
            let values = try numbers(found, name)
            // Entries of a row are differences of terms as large as its largest entry, which sets the scale of rounding.
            let width = try file.tensor("step/" + name).shape[2]
            var worst = 0.0
            for row in stride(from: 0, to: expected.count, by: width) {
                let scale = expected[row..<row + width].map(abs).max() ?? 1
                let difference = Difference(Array(values[row..<row + width]), Array(expected[row..<row + width]))
                worst = max(worst, difference.absolute / max(scale, 1e-6))
            }
            #expect(values.count == expected.count && worst < 1e-4, "\(name): \(worst) of the row's largest entry")
        }
    }

    @Test(arguments: Shared.models)
    func gradients(_ model: String) throws {
        let (network, file) = try load(model)
        let (compared, _) = try compareGradients(network, file, lossTolerance: 1e-4, tolerance: 1e-4)
        #expect(compared >= 9)
    }

    @Test(arguments: Shared.models)
    func checkpointsOfTheReference(_ model: String) throws {
        let folder = Shared.golden.appending(path: model)
        let raw = try LanguageModel.load(folder.appending(path: "checkpoint.pth"), choice: .raw).diffusion()
        let average = try LanguageModel.load(folder.appending(path: "checkpoint.pth"), choice: .average).diffusion()
        for (name, tensor) in raw.weights.named {
            let (a, b): ([Double], [Double]) = (try tensor.array(), try average.weights(name).array())
            #expect(a.allSatisfy(\.isFinite) && b.allSatisfy(\.isFinite))
            // A few steps of training: the average lags behind the weights, but not far.
            #expect(Difference(a, b).absolute < 0.1, "\(name): \(Difference(a, b))")
        }
        let (a, b): ([Double], [Double]) = (try raw.weights.flat.array(), try average.weights.flat.array())
        #expect(a != b, "the moving average and the raw weights are told apart")
    }
}
