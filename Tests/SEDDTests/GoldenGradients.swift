import Files
import Testing
import Torch

@testable import SEDD

/// Compares losses and gradients of a network with those of a second implementation, a file of the tensors `x0`, `xt`, `t`, `loss` and
/// `grad/NAME` for each weight.
///
/// - Parameters:
///   - lossTolerance: greatest relative difference of a loss.
///   - tolerance: greatest difference of a gradient, as a fraction of its tensor's largest entry.
/// - Returns: the number of tensors compared, and the worst difference.
func compareGradients(
    _ network: ScoreNetwork, _ file: Safetensors, lossTolerance: Double, tolerance: Double
) throws -> (compared: Int, worst: Double) {
    func numbers(_ name: String) throws -> [Double] { try file.tensor(name).array() }
    let clean: [Int] = try file.tensor("x0").array()
    let noise = try network.configuration.makeNoise()
    let times = try numbers("t")
    let batch = NoisedBatch(
        clean: clean, states: try file.tensor("xt").array(), length: clean.count / times.count,
        sigma: times.map(noise.sigma), sigmaRate: times.map(noise.sigmaRate))
    let state = try TrainingState(network.weights)
    let loss = ScoreEntropyLoss(network: network, graph: network.configuration.makeGraph())
    let losses = try loss.accumulateGradients(
        batch, scale: 1 / Double(times.count), dropout: nil, into: state.gradients)
    let lossDifference = Difference(losses, try numbers("loss"))
    #expect(lossDifference.relative < lossTolerance, "loss: \(lossDifference)")
    var (compared, worst) = (0, 0.0)
    for name in file.names where name.hasPrefix("grad/") {
        let found: [Double] = try state.gradients(String(name.dropFirst(5))).array()
        let expected = try numbers(name)
        // Gradients of a network that ignores sigma are 0 where it would enter, but for rounding.
        let scale = max(expected.map(abs).max() ?? 1, 1e-6)
        let difference = Difference(found, expected)
        worst = max(worst, difference.absolute / scale)
        #expect(difference.absolute / scale < tolerance, "\(name): \(difference), largest entry \(scale)")
        compared += 1
    }
    return (compared, worst)
}
