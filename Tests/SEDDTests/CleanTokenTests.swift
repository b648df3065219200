import Foundation
import Testing
import Torch

@testable import SEDD

/// Networks whose outputs are distributions of clean tokens: their scores, losses and evaluations.
struct CleanTokenTests {
    private struct Drawn {
        let batch: NoisedBatch
        let times: [Double]
    }

    private func drawn(_ network: ScoreNetwork, sequences: Int, seed: UInt64) throws -> Drawn {
        let noising = Noising(
            graph: network.configuration.makeGraph(), noise: try network.configuration.makeNoise(), seed: seed,
            smallestTime: 1e-3)
        let times = noising.times(step: 1, strata: 0..<sequences, of: sequences)
        let stream = RandomStream(seed: seed, purpose: .windows)
        let (length, tokens) = (network.configuration.model.length, network.configuration.tokens)
        let clean = (0..<sequences * length).map { stream.integer(below: tokens, step: 0, sequence: $0) }
        return Drawn(
            batch: noising.batch(clean, length: length, times: times, step: 1, firstSequence: 0), times: times)
    }

    /// log p of each token at each position as float64; [B L][n].
    private func logs(_ network: ScoreNetwork, _ batch: NoisedBatch) throws -> [[Double]] {
        let states = try Tensor(batch.states, shape: [batch.sequences, batch.length])
        let rows = try Rows(
            states: batch.states, sigma: batch.states.indices.map { batch.sigma[$0 / batch.length] })
        let law: [Double] = try network.cleanTokenLogs(
            network.logits(network.hidden(states, sigma: batch.sigma)), rows
        ).array()
        let n = network.configuration.tokens
        return stride(from: 0, to: law.count, by: n).map { Array(law[$0..<$0 + n]) }
    }

    /// Denoising score entropy is the cross entropy of MDLM and RADD, term by term: 600 sequences, about 3,600 masked
    /// positions.
    @Test(arguments: NetworkKind.cleanTokens.filter { $0.graph == .absorb })
    func absorbingLossIsTheWeightedCrossEntropy(_ kind: NetworkKind) throws {
        let network = try randomNetwork(kind.configuration())
        let batch = try drawn(network, sequences: 600, seed: 3).batch
        let logs = try logs(network, batch)
        var expected = [Double](repeating: 0, count: batch.sequences)
        var masked = 0
        for (index, state) in batch.states.enumerated() where state == network.configuration.tokens {
            let row = index / batch.length
            expected[row] -= logs[index][batch.clean[index]] * batch.sigmaRate[row] / expm1(batch.sigma[row])
            masked += 1
        }
        #expect(masked > 3000)
        let loss = ScoreEntropyLoss(network: network, graph: network.configuration.makeGraph())
        let difference = Difference(try loss.evaluate(batch), expected, floor: 1e-3)
        #expect(difference.relative < 3e-6, "\(kind): \(difference)")
    }

    /// The score entropy of the uniform chain is UDLM's bound, summed in float64 over all states as that paper writes it.
    @Test func uniformLossIsTheBoundOfUDLM() throws {
        let network = try randomNetwork(NetworkKind.cleanTokens[3].configuration())
        let batch = try drawn(network, sequences: 300, seed: 4).batch
        let logs = try logs(network, batch)
        let size = Double(network.configuration.states)
        var expected = [Double](repeating: 0, count: batch.sequences)
        for (index, state) in batch.states.enumerated() {
            let row = index / batch.length
            let (kept, moved) = (exp(-batch.sigma[row]), -expm1(-batch.sigma[row]))
            let model = logs[index].map { size * kept * exp($0) + moved }
            let truth = logs[index].indices.map { size * kept * ($0 == batch.clean[index] ? 1 : 0) + moved }
            var sum = size / truth[state] - size / model[state]
            for y in model.indices {
                let ratio = truth[y] / truth[state]
                sum -= ratio * log(ratio / (model[y] / model[state]))
            }
            expected[row] -= batch.sigmaRate[row] / size * sum
        }
        let loss = ScoreEntropyLoss(network: network, graph: network.configuration.makeGraph())
        // Near complete noise a loss of 1e-3 nats is what is left of terms of float32 whose sum is near a hundred.
        let difference = Difference(try loss.evaluate(batch), expected, floor: 1)
        #expect(difference.relative < 3e-5, "\(difference)")
    }

    /// The gradient of the fused kernels is that of finite differences, for both chains.
    @Test(arguments: [NetworkKind.cleanTokens[2], NetworkKind.cleanTokens[3]])
    func gradients(_ kind: NetworkKind) throws {
        let network = try randomNetwork(kind.configuration())
        let batch = try drawn(network, sequences: 6, seed: 5).batch
        let state = try TrainingState(network.weights)
        let loss = ScoreEntropyLoss(network: network, graph: network.configuration.makeGraph())
        _ = try loss.accumulateGradients(batch, scale: 1, dropout: nil, into: state.gradients)
        for name in ["output_layer.linear.weight", "output_layer.linear.bias", "blocks.1.norm2.weight"] {
            let weight = try network.weights(name).detached()
            let values: [Double] = try weight.array()
            let found: [Double] = try state.gradients(name).array()
            // Along the gradient itself the derivative is its squared norm.
            let step = 1e-3 / found.map { $0 * $0 }.reduce(0, +).squareRoot()
            func total(_ sign: Double) throws -> Double {
                try weight.copyInPlace(
                    Tensor(values.indices.map { Float(values[$0] + sign * step * found[$0]) }, shape: weight.shape))
                return try loss.evaluate(batch).reduce(0, +)
            }
            let slope = (try total(1) - total(-1)) / (2 * step)
            try weight.copyInPlace(Tensor(values.map { Float($0) }, shape: weight.shape))
            let squared = found.map { $0 * $0 }.reduce(0, +)
            #expect(abs(slope / squared - 1) < 0.01, "\(name): \(slope), expected \(squared)")
        }
    }

    /// The bound of a random distribution over few tokens exceeds its entropy, and that of a uniform one is log n per token.
    @Test(arguments: NetworkKind.cleanTokens) func boundOfAnIgnorantLaw(_ kind: NetworkKind) throws {
        var configuration = kind.configuration(length: 24)
        configuration.noise = .init(type: .loglinear)
        // The head of a network that is not trained is 0: every token has the same probability.
        let network = try ScoreNetwork(configuration, seed: 2)
        let bound = try LikelihoodBound(network: network, timesPerBlock: 8, seed: 1)
        let stream = RandomStream(seed: 8, purpose: .windows)
        let blocks = (0..<40).map { block in
            (number: block, tokens: (0..<24).map { stream.integer(below: 11, step: block, sequence: $0) })
        }
        let nats = try bound.nats(blocks).map { $0.reduce(0, +) / 24 }
        let mean = nats.reduce(0, +) / Double(nats.count)
        // Eight stratified times of 40 blocks: the standard error is below 0.02.
        #expect(abs(mean - Foundation.log(11)) < 0.12, "\(mean)")
    }

    /// Evaluations of a time-free network are reused while a sequence is unchanged, without changing the texts.
    @Test(arguments: NetworkKind.all) func reuse(_ kind: NetworkKind) throws {
        let network = try randomNetwork(kind.configuration())
        let process = try DiffusionProcess(network.configuration)
        let head = HeadEvaluator(
            network: network, process: process, headRows: HeadRows(outputs: network.configuration.states, device: .cpu))
        var plain = head
        plain.reuses = false
        let names = SamplingMethods.all.filter { $0.reverses(process.graph) }.map(\.name)
        let requests = (0..<66).map { row in
            Sampler.Request(
                template: (0..<12).map { ($0 + row) % 7 == 0 ? row % 11 : nil }, seed: UInt64(row),
                settings: SamplingSettings(method: names[row % names.count], steps: [3, 30, 80][row % 3]))
        }
        let with = try Sampler(process: process, head: head, evaluator: head).sample(requests)
        let without = try Sampler(process: process, head: plain, evaluator: plain).sample(requests)
        #expect(with.map(\.states) == without.map(\.states))
        #expect(with.map(\.done) == without.map(\.done))
        for (a, b) in zip(with, without) {
            #expect(a.networkEvaluations <= b.networkEvaluations)
            #expect(kind.conditioning.isTimeFree || a.networkEvaluations == b.networkEvaluations)
            // A state changes at most twelve times here, once a position.
            if kind.conditioning.isTimeFree, a.settings.method == "analytic" { #expect(a.networkEvaluations <= 12) }
        }
    }

    /// N analytic steps of L positions take N (1 - (1 - 1/N)^L) evaluations on average (RADD).
    @Test(arguments: [8, 32, 128]) func evaluations(_ steps: Int) throws {
        let network = try ScoreNetwork(NetworkKind.cleanTokens[2].configuration(), seed: 1)
        let sampler = try Sampler(network: network)
        let found = try sampler.sample(
            (0..<2000).map { .init(template: [Int?](repeating: nil, count: 12), seed: $0, steps: steps) })
        let mean = Double(found.reduce(0) { $0 + $1.networkEvaluations }) / 2000
        let expected = Double(steps) * (1 - pow(1 - 1 / Double(steps), 12))
        // A count of at most 12 has a standard deviation below 2: five standard errors are 0.22, a false alarm in 10^6.
        // The end of the grid at 1e-5, the unmasked 1e-3 at t = 1 and the denoising step change the mean by less than
        // 0.02.
        #expect(abs(mean - expected) < 0.24, "\(mean), expected \(expected)")
        print("evaluations of \(steps) steps: \(mean), expected \(expected)")
    }
}
