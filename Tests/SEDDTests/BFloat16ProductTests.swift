import Files
import Testing
import Torch

@testable import SEDD

/// Training steps whose matrix products round to bfloat16. They are slow on processors without the instructions, but
/// they compute the same.
struct BFloat16ProductTests {
    private func rounded(_ x: Tensor) throws -> Tensor { try x.cast(to: .bfloat16).cast(to: .float64) }

    private func values(_ shape: [Int], _ step: Int) throws -> Tensor {
        let stream = RandomStream(seed: 3, purpose: .initialization)
        let count = shape.reduce(1, *)
        return try Tensor(
            (0..<count).map { Float(2 * stream.uniform(step: step, sequence: 0, position: $0) - 1) }, shape: shape)
    }

    private func expectRounded(_ found: Tensor, _ exact: Tensor, _ name: String) throws {
        #expect(try found.dtype == .float32, "\(name)")
        let difference = Difference(try found.array(), try exact.array())
        let scale = try exact.array(Double.self).map(abs).max() ?? 0
        // A result is rounded to 8 bits.
        #expect(difference.absolute <= scale / 256, "\(name): \(difference), largest entry \(scale)")
    }

    @Test func productsRoundFactorsAndResults() throws {
        let weights = try randomNetwork(smallConfiguration()).weights.copied(precision: .bf16Products)
        let name = "blocks.0.mlp.0.weight"
        let (matrix, w) = (try BlockMatrix(weights, name), try weights(name).detached())
        let (inputs, outputs) = (try w.shape[1], try w.shape[0])
        let (x, y) = (try values([70, inputs], 0), try values([70, outputs], 1))
        try expectRounded(
            matrix(x, recording: true), rounded(x).matmul(rounded(w).transposed(0, 1)), "result")
        try expectRounded(matrix.inputGradient(y), rounded(y).matmul(rounded(w)), "gradient of the input")
        let sum = try Tensor.full([outputs, inputs], 1)
        try matrix.addGradient(y, x: x, to: sum)
        try expectRounded(
            sum - Tensor.full([], 1), rounded(y).transposed(0, 1).matmul(rounded(x)), "gradient of the matrix")
        let exact = try matrix(x, recording: false)
        #expect(try exact.bytes() == x.rowLinear(w).bytes(), "without a tape, float32")
    }

    @Test(arguments: NetworkKind.all) func trunkIsThatOfFloat32Rounded(_ kind: NetworkKind) throws {
        let plain = try randomNetwork(kind.configuration())
        func pass(_ precision: Precision) throws -> (hidden: Tensor, gradients: Tensor, inference: Tensor) {
            let network = try ScoreNetwork(plain.configuration, plain.weights.copied(precision: precision))
            let state = try TrainingState(network.weights)
            let tokens = try Tensor((0..<111).map { $0 * 7 % network.configuration.tokens }, shape: [3, 37])
            let (sigma, fused) = ([0.01, 0.8, 5], try #require(network.fused))
            let (hidden, tape) = try fused.forward(tokens, sigma: sigma, dropout: nil, recording: true)
            let pull = try values(hidden.shape, 2)
            try fused.backward(#require(tape), hiddenGradient: pull, gradients: state.gradients)
            return (hidden, state.gradients.flat, try network.hidden(tokens, sigma: sigma))
        }
        let (found, expected) = (try pass(.bf16Products), try pass(.float32))
        for (name, found, expected) in [
            ("hidden vectors", found.hidden, expected.hidden), ("gradients", found.gradients, expected.gradients),
        ] {
            let distance = try Kernels.norm((found - expected).contiguous()) / Kernels.norm(expected.contiguous())
            #expect(distance > 1e-4 && distance < 0.02, "\(name): \(distance)")
        }
        #expect(try found.inference.bytes() == expected.inference.bytes(), "inference does not round")
    }

    @Test(arguments: TrainingConfiguration.Optimizer.Kind.allCases)
    func lanesComputeWithTheNewestWeights(_ optimizer: TrainingConfiguration.Optimizer.Kind) throws {
        var training = TrainingConfiguration()
        (training.model.hiddenSize, training.model.nHeads, training.model.nBlocks) = (32, 2, 2)
        (training.model.length, training.training.batchSize, training.model.dropout) = (12, 12, 0)
        (training.optim.type, training.optim.warmup) = (optimizer, 0)
        func losses(_ precision: Precision) throws -> [Double] {
            let first = try randomNetwork(training.modelConfiguration(tokens: 7, kind: "byte"))
            let network = try ScoreNetwork(first.configuration, first.weights.copied(precision: precision))
            var state = try TrainingState(network.weights, training.optim)
            let step = try TrainingStep(training, network: network)
            let losses = try (0..<20).map { _ in
                try step(&state) { sequence in (0..<12).map { (sequence * 3 + $0 * 5) % 7 } }.loss
            }
            if let copy = state.weights.bfloat16Copy {
                #expect(try copy.bytes() == state.weights.flat.cast(to: .bfloat16).bytes(), "the copy is up to date")
            }
            return losses
        }
        let (found, expected) = (try losses(.bf16Products), try losses(.float32))
        #expect(expected[19] < 0.8 * expected[0], "it learns: \(expected)")
        // From random weights the losses fall a hundredfold, and differences grow on the way.
        for (step, (found, expected)) in zip(found, expected).enumerated() {
            #expect(abs(found - expected) < 0.25 * expected, "step \(step + 1): \(found), in float32 \(expected)")
        }
        #expect(found != expected)
    }

    @Test(.enabled(if: Runtime.hasBFloat16Instructions, "needs AVX512-BF16"))
    func stoppedAndResumedEqualsUninterrupted() throws {
        let setting = try TrainingTests.Setting()
        setting.configuration.optim.type = .muon
        let (whole, _) = try setting.trainer("whole", precision: .bf16Products)
        try whole.train { _ in }
        try setting.stopped("parts", precision: .bf16Products)
        let (second, _) = try setting.trainer("parts", create: false, precision: .bf16Products)
        try second.train { _ in }
        #expect(try whole.weights.flat.bytes() == second.weights.flat.bytes())
        #expect(try whole.averaged.weights.flat.bytes() == second.averaged.weights.flat.bytes())
    }

    @Test(arguments: [[4, 32, 32], [3, 32, 128], [2, 96, 32]]) func orthogonalizationInBFloat16(_ shape: [Int]) throws {
        let matrices = try values(shape, 4)
        let found = try Kernels.orthogonalised(matrices, inBFloat16: true)
        let expected = try Kernels.orthogonalised(matrices.cast(to: .float64))
        let distance =
            try Kernels.norm((found - expected.cast(to: .float32)).contiguous())
            / Kernels.norm(expected.cast(to: .float32).contiguous())
        #expect(try found.dtype == .float32 && distance > 1e-4 && distance < 0.05, "\(distance)")
    }

    @Test func whereItIsSupported() throws {
        let unused = #expect(throws: SEDDError.self) { try Precision.resolved(.bf16Products, on: .cpu) }
        #expect(unused?.kind == .usage && unused?.description.contains("training steps") == true)
        if Runtime.hasBFloat16Instructions {
            #expect(try Precision.resolved(.bf16Products, on: .cpu, for: .training) == .bf16Products)
        } else {
            let error = #expect(throws: SEDDError.self) {
                try Precision.resolved(.bf16Products, on: .cpu, for: .training)
            }
            #expect(error?.description.contains("AVX512-BF16") == true)
        }
    }
}
