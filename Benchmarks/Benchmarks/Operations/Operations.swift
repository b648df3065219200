import Benchmark
import Foundation
import SEDD
import Text
import Torch

/// One operation each of what a run spends its time on, so that a regression of one is seen. Width 192, 4 blocks, 16 sequences
/// of 128; the larger vocabulary is GPT-2's size.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .cpuTotal, .peakMemoryResident], warmupIterations: 2, maxDuration: .seconds(3),
        maxIterations: 1000)

    let (sequences, length) = (16, 128)

    func configuration(tokens: Int) -> ModelConfiguration {
        ModelConfiguration(
            tokens: tokens, graph: .init(type: .absorb), noise: .init(type: .loglinear),
            model: .init(
                hiddenSize: 192, condDim: 128, length: length, nBlocks: 4, nHeads: 4, scaleBySigma: true, dropout: 0.1))
    }

    /// Half of the positions masked.
    func batch(tokens: Int) -> NoisedBatch {
        let clean = (0..<sequences * length).map { $0 * 7919 % tokens }
        return NoisedBatch(
            clean: clean, states: clean.indices.map { $0 % 2 == 0 ? clean[$0] : tokens }, length: length,
            sigma: [Double](repeating: 0.7, count: sequences), sigmaRate: [Double](repeating: 2, count: sequences))
    }

    Benchmark("tokenize a million bytes as characters") { benchmark in
        let text = String(repeating: "What form the words take, they take from noise. ", count: 20_834)
        let tokenizer = try CharacterTokenizer(alphabetOf: text)
        for _ in benchmark.scaledIterations { blackHole(try tokenizer.encode(text)) }
    }

    Benchmark("corrupt 2048 positions") { benchmark in
        let graph = AbsorbingGraph(tokens: 27)
        let stream = RandomStream(seed: 1, purpose: .corruption)
        for _ in benchmark.scaledIterations {
            for position in 0..<sequences * length {
                blackHole(
                    graph.corrupted(position % 27, sigma: 0.7) {
                        stream.uniform(step: 1, sequence: position / length, position: position % length, draw: $0)
                    })
            }
        }
    }

    for tokens in [27, 50_257] {
        Benchmark("loss of a batch, \(tokens) tokens") { benchmark in
            let network = try ScoreNetwork(configuration(tokens: tokens), seed: 1)
            let loss = ScoreEntropyLoss(network: network, graph: AbsorbingGraph(tokens: tokens))
            let batch = batch(tokens: tokens)
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { blackHole(try loss.evaluate(batch)) }
        }

        Benchmark("reverse step, \(tokens) tokens") { benchmark in
            let network = try ScoreNetwork(configuration(tokens: tokens), seed: 1)
            let sampler = try Sampler(network: network)
            let template = (0..<length).map { $0 % 2 == 0 ? $0 % tokens : nil }
            let first = try sampler.start(
                (0..<sequences).map { .init(template: template, seed: UInt64($0), steps: 64) })
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations {
                var states = first
                try sampler.advance(&states)
                blackHole(states)
            }
        }
    }

    Benchmark("optimizer step of 2.5 million weights") { benchmark in
        let arrays = try (0..<5).map { try Tensor.full([2_500_000], 0.01 * Double($0 + 1)) }
        let settings = Kernels.AdamW(
            rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, correction1: 0.1, correction2: 0.001,
            gradientScale: 1, averageWeight: 1e-4)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            blackHole(try Kernels.norm(arrays[1]))
            try Kernels.adamW(
                weights: arrays[0], gradient: arrays[1], moment1: arrays[2], moment2: arrays[3], average: arrays[4],
                settings)
        }
    }

    Benchmark("write a model folder of 2.5 million weights") { benchmark in
        let network = try ScoreNetwork(configuration(tokens: 27), seed: 1)
        let folder = FileManager.default.temporaryDirectory.appending(path: "sedd-benchmark-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            try ModelFolder.save(network.configuration, network.weights, to: folder)
        }
        benchmark.stopMeasurement()
    }
}
