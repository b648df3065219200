import Files
import Testing
import Torch

@testable import SEDD

/// The fused trunk against the plain one with libtorch's gradients, which other devices use.
struct FusedTrunkTests {
    @Test(arguments: NetworkKind.all, [0, 0.3])
    func valuesAndGradients(_ kind: NetworkKind, _ share: Double) throws {
        let network = try randomNetwork(kind.configuration())
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

    // Shapes that do not match are refused in either implementation.
    @Test func shapesThatDoNotFit() throws {
        let network = try randomNetwork(smallConfiguration())
        let table: [(name: String, tokens: Tensor, sigma: [Double])] = try [
            ("one dimension", Tensor([1, 2, 3]), [1]), ("a number", Tensor([1], shape: []), [1]),
            ("fewer noise levels", Tensor([1, 2, 3, 4], shape: [2, 2]), [1]),
            ("more noise levels", Tensor([1, 2, 3, 4], shape: [2, 2]), [1, 1, 1, 1]),
            ("no sequences", Tensor.zeros([0, 3]).cast(to: .int64), []),
            ("no positions", Tensor.zeros([2, 0]).cast(to: .int64), [1, 1]),
            ("floating point states", Tensor.zeros([1, 3]), [1]),
        ]
        for (name, tokens, sigma) in table {
            let error = #expect(throws: SEDDError.self, "\(name)") { _ = try network.hidden(tokens, sigma: sigma) }
            #expect(error?.kind == .usage, "\(name)")
            #expect(throws: SEDDError.self, "\(name)") { _ = try network.trunk(tokens, sigma: sigma) }
        }
        #expect(throws: TorchError.self) { _ = try network.hidden(Tensor([1, 99], shape: [1, 2]), sigma: [1]) }
    }

    // Rotary tables are as long as texts require, not as a configuration claims, and equal at every length.
    @Test func rotaryTablesGrowWithTexts() throws {
        let tables = RotaryTables(width: 8, device: .cpu)
        for length in [3, 1, 5, 4, 130, 7] {
            let (found, whole) = (try tables(length), try RotaryPositions(length: length, width: 8, device: .cpu))
            #expect(try found.cosine.shape == [length, 4])
            #expect(try found.cosine.array(Float.self) == whole.cosine.array(Float.self))
            #expect(try found.sine.array(Float.self) == whole.sine.array(Float.self))
        }
    }
}
