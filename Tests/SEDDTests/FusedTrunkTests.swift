import Testing
import Torch

@testable import SEDD

/// The trunk by fused kernels against the same trunk by plain operators with the engine's own gradients, which is the
/// way of other devices.
struct FusedTrunkTests {
    @Test(arguments: ModelConfiguration.GraphKind.allCases, [0, 0.3])
    func valuesAndGradients(_ graph: ModelConfiguration.GraphKind, _ share: Double) throws {
        let network = try randomNetwork(smallConfiguration(graph))
        let fused = try #require(network.fused)
        let state = try TrainingState(network.weights)
        let (b, l, d) = (3, 37, network.configuration.model.hiddenSize)
        let tokens = try Tensor((0..<b * l).map { $0 * 7 % network.configuration.tokens }, shape: [b, l])
        let sigma = [0.01, 0.8, 5]
        let dropout = Dropout(share: share, seed: 3, step: 9, sequences: [4, 0, 17])
        let pull = try Tensor((0..<b * l * d).map { Float($0 * 31 % 17) / 17 - 0.5 }, shape: [b * l, d])

        let plain = try network.trunk(tokens, sigma: sigma, dropout: dropout).reshaped([b * l, d])
        try plain.backward(pull)
        let expected = try state.gradients.named.map { (name: $0.name, values: try $0.tensor.array(Double.self)) }
        try state.gradients.flat.zeroInPlace()
        let (hidden, tape) = try fused.forward(tokens, sigma: sigma, dropout: dropout, recording: true)
        try fused.backward(#require(tape), hiddenGradient: pull, gradients: state.gradients)

        let values = Difference(try hidden.array(), try plain.detached().array())
        #expect(values.absolute < 2e-5, "hidden vectors: \(values)")
        var reached = 0
        for (name, expected) in expected {
            let difference = Difference(try state.gradients(name).array(), expected)
            let scale = expected.map(abs).max() ?? 0
            if scale > 0 { reached += 1 }
            #expect(difference.absolute <= 2e-5 * max(scale, 1e-3), "\(name): \(difference), largest entry \(scale)")
        }
        #expect(reached == expected.count - 2, "every tensor but the head's two has a gradient")
    }
}
