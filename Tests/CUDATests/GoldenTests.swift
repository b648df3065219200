import Foundation
import Testing
import Torch

@testable import SEDD

private let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../shared/golden")
    .standardized

/// Golden values of the published implementation, computed by emulated CUDA kernels.
@Suite(
    .emulation,
    .enabled(
        if: FileManager.default.fileExists(atPath: golden.appending(path: "absorb/config.json").path),
        "../shared/golden is absent: the comparison with the published implementation is skipped"))
struct GoldenTests {
    @Test(arguments: ["absorb", "absorb-geometric", "uniform"])
    func scoresAndLosses(model: String) throws {
        let source = golden.appending(path: model)
        let expected = try Safetensors(contentsOf: source.appending(path: "expected.safetensors"))
        let loaded = try ModelFolder.load(source)
        let output = FileManager.default.temporaryDirectory.appending(path: "cuda-golden-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: output) }
        func differences(_ precision: Precision) throws -> (score: Double, loss: Double, greatest: Double) {
            let network = try ScoreNetwork(loaded.configuration, loaded.weights.copied(precision: precision))
            try emulated {
                try Inspection(network: network).run(
                    input: source.appending(path: "expected.safetensors"), output: output, stepSize: nil)
            }
            let found = try Safetensors(contentsOf: output)
            func share(_ name: String) throws -> Double {
                let exact = try expected.tensor(name)
                return try Kernels.norm(found.tensor(name) - exact) / Kernels.norm(exact)
            }
            let distances: [Double] = try (found.tensor("log_score") - expected.tensor("log_score")).array()
            return (try share("log_score"), try share("loss"), distances.map(abs).max() ?? .infinity)
        }
        let (single, half) = (try differences(.float32), try differences(.bf16))
        print("golden \(model), emulated: float32 \(single), bf16 \(half)")
        #expect(single.greatest < 5e-5 && single.loss < 1e-4, "float32: \(single)")
        // The trunk, and only the trunk, computes with 8 significant bits.
        #expect(half.score > 1e-5 && half.score < 0.02 && half.loss < 0.02, "bf16: \(half)")
    }
}
