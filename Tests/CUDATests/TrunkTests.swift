import Files
import Foundation
import Testing
import Torch

@testable import SEDD

/// Whole passes of a model with emulated CUDA kernels, against the same passes on the CPU: the trunk forward and
/// backward, a training run, sampling.
@Suite(.emulation)
struct TrunkTests {
    private static func configuration(_ graph: ModelConfiguration.GraphKind, width: Int = 32) -> ModelConfiguration {
        ModelConfiguration(
            tokens: 11, graph: .init(type: graph),
            noise: .init(type: graph == .absorb ? .loglinear : .geometric, sigmaMin: 1e-3, sigmaMax: 8),
            model: .init(
                hiddenSize: width, condDim: 16, length: 12, nBlocks: 2, nHeads: 2, scaleBySigma: graph == .absorb,
                dropout: 0.1))
    }

    /// A network with random weights, including the layers that are initialized to zero.
    private static func network(_ configuration: ModelConfiguration, _ precision: Precision) throws -> ScoreNetwork {
        let weights = try ScoreNetwork(configuration, seed: 5).weights
        for (place, entry) in weights.layout.entries.enumerated() where !entry.name.contains("norm") {
            try weights(entry.name).copyInPlace(random(entry.shape, seed: UInt64(place) + 50, scale: 0.3))
        }
        return try ScoreNetwork(configuration, weights.copied(precision: precision))
    }

    private struct Pass {
        let hidden: Tensor
        let gradients: [(name: String, tensor: Tensor)]
    }

    private static func pass(_ network: ScoreNetwork, _ dropout: Double) throws -> Pass {
        let state = try TrainingState(network.weights)
        let (b, l, d) = (3, 37, network.configuration.model.hiddenSize)
        let tokens = try Tensor((0..<b * l).map { $0 * 7 % network.configuration.tokens }, shape: [b, l])
        let fused = try #require(network.fused)
        let (hidden, tape) = try fused.forward(
            tokens, sigma: [0.01, 0.8, 5], dropout: Dropout(share: dropout, seed: 3, step: 9, sequences: [4, 0, 17]),
            recording: true)
        try fused.backward(#require(tape), hiddenGradient: random([b * l, d], seed: 99), gradients: state.gradients)
        return Pass(hidden: hidden, gradients: state.gradients.named)
    }

    /// The largest difference relative to the norm of the tensor.
    private static func distance(_ found: Tensor, _ expected: Tensor) throws -> Double {
        let norm = try Kernels.norm(expected.contiguous())
        return norm == 0 ? 0 : try Kernels.norm((found - expected).contiguous()) / norm
    }

    // Heads of 16 channels, and of 18, which are padded to 24 for libtorch's attention.
    @Test(arguments: [32, 36], [0, 0.3])
    func backAndForthInFloat32(width: Int, dropout: Double) throws {
        let network = try Self.network(Self.configuration(.absorb, width: width), .float32)
        let expected = try Self.pass(network, dropout)
        let found = try emulated { try Self.pass(Self.network(network.configuration, .float32), dropout) }
        try expectClose(found.hidden, expected.hidden, 1e-5, "hidden vectors")
        for (found, expected) in zip(found.gradients, expected.gradients) {
            try expectClose(found.tensor, expected.tensor, 2e-5, found.name)
        }
    }

    @Test(arguments: [32, 36])
    func backAndForthInBfloat16(width: Int) throws {
        let configuration = Self.configuration(.absorb, width: width)
        let expected = try Self.pass(Self.network(configuration, .float32), 0.3)
        let found = try emulated { try Self.pass(Self.network(configuration, .bf16), 0.3) }
        #expect(try found.hidden.dtype == .float32, "the head is given float32")
        var worst = (name: "hidden vectors", share: try Self.distance(found.hidden, expected.hidden))
        for (found, expected) in zip(found.gradients, expected.gradients) {
            let share = try Self.distance(found.tensor, expected.tensor)
            if share > worst.share { worst = (found.name, share) }
        }
        // 8 significant bits, through two blocks forward and backward.
        #expect(worst.share > 1e-4 && worst.share < 0.03, "\(worst)")
    }

    private static func trained(_ graph: ModelConfiguration.GraphKind, _ precision: Precision, steps: Int) throws
        -> (losses: [Double], state: TrainingState)
    {
        let network = try network(configuration(graph), precision)
        var training = TrainingConfiguration()
        (training.model.length, training.training.batchSize, training.training.accum) = (37, 6, 2)
        training.optim.warmup = 0
        var state = try TrainingState(network.weights)
        let step = try TrainingStep(training, network: network)
        let losses = try (0..<steps).map { _ in
            try step(&state) { sequence in (0..<37).map { (sequence * 3 + $0 * 5) % 11 } }.loss
        }
        return (losses, state)
    }

    @Test(arguments: ModelConfiguration.GraphKind.allCases)
    func trainingInFloat32(graph: ModelConfiguration.GraphKind) throws {
        let expected = try Self.trained(graph, .float32, steps: 4)
        let found = try emulated { try Self.trained(graph, .float32, steps: 4) }
        for (step, (found, expected)) in zip(found.losses, expected.losses).enumerated() {
            #expect(abs(found - expected) < 2e-5 * abs(expected), "step \(step + 1): \(found), expected \(expected)")
        }
        try expectClose(found.state.average.flat, expected.state.average.flat, 1e-4, "average")
    }

    @Test(arguments: ModelConfiguration.GraphKind.allCases)
    func trainingInBfloat16(graph: ModelConfiguration.GraphKind) throws {
        let expected = try Self.trained(graph, .float32, steps: 4)
        let found = try emulated { try Self.trained(graph, .bf16, steps: 4) }
        for (step, (found, expected)) in zip(found.losses, expected.losses).enumerated() {
            #expect(abs(found - expected) < 0.02 * abs(expected), "step \(step + 1): \(found), expected \(expected)")
        }
        for weights in [found.state.weights, found.state.average] {
            try expectSame(#require(weights.bfloat16Copy), weights.flat.cast(to: .bfloat16), "the copy is up to date")
        }
    }

    /// Settings that cover every kind of law, and the kernel that draws from linear ones.
    private static let settings = [
        SamplingSettings(steps: 8), SamplingSettings(method: "euler", steps: 8),
        SamplingSettings(method: "trapezoidal", steps: 4), SamplingSettings(steps: 6, filter: TokenFilter(topP: 0.8)),
    ]

    @Test(arguments: ModelConfiguration.GraphKind.allCases, settings.indices)
    func sampling(graph: ModelConfiguration.GraphKind, index: Int) throws {
        func run(_ precision: Precision) throws -> [[Int]] {
            let sampler = try Sampler(network: Self.network(Self.configuration(graph), precision))
            return try sampler.sample(
                (0..<3).map {
                    .init(
                        template: [3, nil, nil] + [Int?](repeating: nil, count: 9), seed: UInt64($0),
                        settings: Self.settings[index])
                }
            ).map(\.states)
        }
        #expect(try emulated { try run(.float32) } == run(.float32))
        let rough = try emulated { try run(.bf16) }
        #expect(rough.allSatisfy { $0[0] == 3 && $0.allSatisfy { (0..<11).contains($0) } }, "in bfloat16")
    }

    /// Changes report the same as on the CPU: probabilities, and the alternatives in order.
    @Test(arguments: ModelConfiguration.GraphKind.allCases)
    func reportsOfDraws(graph: ModelConfiguration.GraphKind) throws {
        let sampler = try Sampler(network: Self.network(Self.configuration(graph), .float32))
        func run() throws -> [[Change]] {
            var trajectories = [
                try sampler.start(
                    .init(
                        template: [Int?](repeating: nil, count: 12), seed: 5, settings: SamplingSettings(steps: 6),
                        alternatives: 3))
            ]
            var changes: [[Change]] = []
            while !trajectories[0].isFinished {
                try sampler.advance(&trajectories)
                changes.append(trajectories[0].changes)
            }
            return changes
        }
        let (found, expected) = (try emulated { try run() }.joined(), try run().joined())
        #expect(found.count == expected.count && !found.isEmpty)
        for (a, b) in zip(found, expected) {
            #expect(a.position == b.position && a.state == b.state)
            let (p, q) = (try #require(a.probability), try #require(b.probability))
            #expect(p > 0 && p <= 1 && abs(p - q) < 1e-4 * q, "position \(a.position): \(p), expected \(q)")
            #expect(a.alternatives.map(\.token) == b.alternatives.map(\.token))
            for (a, b) in zip(a.alternatives, b.alternatives) {
                #expect(abs(a.probability - b.probability) < 1e-4 * b.probability)
            }
        }
    }

    /// Steps on preallocated arrays, as captured in CUDA graphs, with padded rows and several chunks.
    @Test(arguments: ModelConfiguration.GraphKind.allCases, [5, 1000])
    func stepsOnPreallocatedArrays(graph: ModelConfiguration.GraphKind, chunk: Int) throws {
        let network = try Self.network(Self.configuration(graph), .float32)
        func run(preallocated: Bool) throws -> [[Int]] {
            let process = try DiffusionProcess(network.configuration)
            let head = HeadEvaluator(network: network, process: process, headRows: .init(atOnce: chunk))
            let steps = try CapturedSteps(
                network: network, trunk: #require(network.fused), headRows: .init(atOnce: chunk), capturing: false)
            let sampler = Sampler(
                process: process, head: head,
                evaluator: preallocated ? CapturedEvaluator(plain: head, steps: steps) : head)
            return try sampler.sample(
                (0..<3).map {
                    .init(template: [3] + [Int?](repeating: nil, count: 19), seed: UInt64($0), steps: 4 + 2 * $0)
                }
            ).map(\.states)
        }
        let expected = try run(preallocated: false)
        #expect(try run(preallocated: true) == expected, "on the CPU")
        #expect(try emulated { try run(preallocated: true) } == expected, "emulated")
        #expect(
            [1, 16, 17, 1000].map { CapturedStep.Shape(sequences: 1, length: 1, rows: $0).rows } == [16, 16, 32, 1024])
    }

    @Test func copiesFollowWhatIsLoaded() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cuda-tests-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let saved = try Self.network(Self.configuration(.absorb), .float32)
        try ModelFolder.save(saved.configuration, saved.weights, to: folder)
        let other = try ScoreNetwork(saved.configuration, seed: 77).weights.copied(precision: .bf16)
        try other.load(folder.appending(path: "model.safetensors"))
        try expectSame(#require(other.bfloat16Copy), saved.weights.flat.cast(to: .bfloat16), "loaded")
        #expect(try other.copied().precision == .bf16)
        #expect(try other.moved(to: .cpu).precision == .float32)
    }

    @Test func precisions() throws {
        #expect(try Precision.resolved(nil, on: .cpu) == .float32)
        let error = #expect(throws: SEDDError.self) { try Precision.resolved(.bf16, on: .cpu) }
        #expect(error?.kind == .usage && error?.description.contains("--device cuda") == true)
    }
}
