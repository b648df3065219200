import Testing
import Text
import Torch

@testable import SEDD

@Suite struct StepLaneTests {
    struct Count: Sendable, CustomTestStringConvertible {
        let units, threads, lanes: Int
        var bytes = 1
        var testDescription: String { "\(units) units of \(bytes) bytes on \(threads) threads" }
    }

    static let counts: [Count] = [
        .init(units: 16, threads: 1, lanes: 4), .init(units: 16, threads: 2, lanes: 4),
        .init(units: 16, threads: 4, lanes: 4), .init(units: 16, threads: 3, lanes: 6),
        .init(units: 16, threads: 8, lanes: 8), .init(units: 16, threads: 16, lanes: 16),
        // A lane for each thread, where four would be uneven.
        .init(units: 2, threads: 2, lanes: 2), .init(units: 5, threads: 2, lanes: 2),
        // Threads would be idle.
        .init(units: 3, threads: 2, lanes: 1), .init(units: 1, threads: 8, lanes: 1),
        .init(units: 16, threads: 17, lanes: 1), .init(units: 9, threads: 8, lanes: 1),
        // Too much memory for four, for two, and an overflow.
        .init(units: 16, threads: 2, lanes: 2, bytes: 1 << 29), .init(units: 16, threads: 2, lanes: 1, bytes: 1 << 31),
        .init(units: 16, threads: 4, lanes: 1, bytes: .max),
    ]

    @Test(arguments: counts) func numberOfLanes(_ one: Count) {
        #expect(StepLanes.count(units: one.units, threads: one.threads, bytes: one.bytes) == one.lanes)
    }

    /// Losses and gradients of a step, by lanes and as one batch.
    @Test(arguments: [false, true], [1, 3]) func lanesComputeWhatOneBatchDoes(autoregressive: Bool, accum: Int) throws {
        var training = TrainingConfiguration()
        if autoregressive { training.model.type = .autoregressive }
        (training.model.hiddenSize, training.model.nHeads, training.model.nBlocks) = (32, 2, 2)
        (training.model.length, training.training.batchSize, training.training.accum) = (12, 12, accum)
        training.model.dropout = 0.2
        let tokens: [[Int]] = (0..<12).map { sequence in (0..<12).map { place in (place * 5 + sequence * 3) % 7 } }
        func evaluate(sequences: Range<Int>, part: Int) throws -> (losses: [SequenceLoss], gradients: Tensor) {
            let learner = try training.makeLearner(tokenizer: ByteTokenizer(), device: .cpu)
            let state = try TrainingState(learner.weights)
            // Output layers are initialized to zero, which would make all gradients before them zero.
            for (name, weight) in state.weights.named where name.contains("output_layer.linear.weight") {
                try weight.copyInPlace(Tensor.full([], 0.01))
            }
            var losses: [SequenceLoss] = []
            let sum = try Tensor.zeros([learner.weights.layout.flatCount])
            for start in stride(from: sequences.lowerBound, to: sequences.upperBound, by: part) {
                let some = start..<(start + part)
                let lanes = try StepLanes(learner, sequences: some, unit: 1, part: 12 / accum)
                let work = StepLanes.Work(step: 3, count: 12, times: nil, scale: 1.0 / 12)
                losses += try lanes.evaluate(work, Array(tokens[some]), into: state.gradients)
                try sum.addInPlace(state.gradients.flat)
            }
            return (losses, sum)
        }
        // Eight units on a few threads are lanes; single ones are not.
        let lanes = try evaluate(sequences: 0..<12, part: 12)
        let single = try evaluate(sequences: 0..<12, part: 1)
        #expect(lanes.losses.count == 12)
        for (one, other) in zip(lanes.losses, single.losses) {
            #expect(abs(one.nats - other.nats) <= 1e-4 * other.nats)
            #expect(one.time == other.time)
        }
        let greatest = try greatestMagnitude(single.gradients)
        #expect(greatest > 1e-3)
        #expect(try greatestMagnitude(lanes.gradients - single.gradients) < 2e-5 * greatest)
    }

    private func greatestMagnitude(_ x: Tensor) throws -> Double { try (x * x).maximum().item().squareRoot() }
}
