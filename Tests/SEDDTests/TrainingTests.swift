import Files
import Foundation
import Testing
import Text
import Torch

@testable import SEDD

struct TrainingTests {
    /// A small run on a generated text.
    final class Setting {
        let folder: TemporaryFolder
        let dataset: TokenDataset
        var configuration = TrainingConfiguration()

        init(_ kind: NetworkKind = NetworkKind(graph: .absorb)) throws {
            folder = try TemporaryFolder()
            let text = folder.url.appending(path: "text.txt")
            let words = ["the cat sat on the mat. ", "a dog ran to the hill. ", "birds sing in the tree. "]
            try Data((0..<400).map { words[$0 * $0 % 3] }.joined().utf8).write(to: text)
            dataset = try TokenDataset(
                sources: [text], tokenizer: ByteTokenizer(), cache: TokenCache(folder: folder.url), heldOutFraction: 0.1
            )
            configuration = try ConfigurationFile.resolve(
                yaml: """
                    model: {hidden_size: 32, cond_dim: 16, length: 16, n_blocks: 2, n_heads: 2,
                            parametrisation: \(kind.parametrisation.rawValue), conditioning: \(kind.conditioning.rawValue)}
                    graph: {type: \(kind.graph.rawValue)}
                    noise: {type: \(kind.graph == .absorb ? "loglinear" : "geometric")}
                    training: {batch_size: 4, n_iters: 12, log_freq: 1, eval_freq: 6, eval_blocks: 4, eval_times: 2,
                               snapshot_freq: 4, sample_freq: 0, keep: 2, seed: 3}
                    optim: {lr: 0.003, warmup: 4}
                    """, source: "test")
        }

        /// Trains a run of its own until it is stopped after six steps.
        @discardableResult func stopped(_ name: String, precision: Precision? = nil) throws -> RunFolder {
            let (trainer, run) = try trainer(name, precision: precision)
            var steps = 0
            let error = #expect(throws: SEDDError.self) {
                try trainer.train(shouldStop: {
                    steps += 1; return steps == 6
                }) { _ in }
            }
            #expect(error?.kind == .interrupted)
            return run
        }

        func trainer(
            _ name: String, create: Bool = true, precision: Precision? = nil
        ) throws -> (Trainer, RunFolder) {
            let run = RunFolder(folder.url.appending(path: name))
            if create { try run.create(configuration) }
            let trainer = try Trainer(
                configuration, run: run, dataset: dataset, tokenizer: ByteTokenizer(), precision: precision)
            return (trainer, run)
        }
    }

    private func losses(_ run: RunFolder) throws -> [Int: Double] {
        var found: [Int: Double] = [:]
        for line in try String(contentsOf: run.metricsFile, encoding: .utf8).split(separator: "\n") {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            guard let step = object["step"] as? Int, let loss = object["loss"] as? Double else { continue }
            #expect(found.updateValue(loss, forKey: step) == nil, "step \(step) is there once")
        }
        return found
    }

    @Test(arguments: NetworkKind.all)
    func stoppedAndResumedEqualsUninterrupted(_ kind: NetworkKind) throws {
        let setting = try Setting(kind)
        let (whole, wholeRun) = try setting.trainer("whole")
        try whole.train { _ in }
        let run = try setting.stopped("parts")
        // Work after the last checkpoint, as a killed run leaves it.
        let stray = Data("{\"step\":7,\"loss\":99}\n".utf8)
        let handle = try FileHandle(forWritingTo: run.metricsFile)
        try handle.seekToEnd()
        try handle.write(contentsOf: stray)
        try handle.close()
        let (second, _) = try setting.trainer("parts", create: false)
        try second.train { _ in }
        #expect(try losses(run) == losses(wholeRun))
        let (a, b): ([Double], [Double]) = (
            try whole.averaged.weights.flat.array(), try second.averaged.weights.flat.array()
        )
        #expect(a == b, "the moving averages are the same to the bit")
    }

    @Test func accumulationIsOneBatch() throws {
        let setting = try Setting()
        setting.configuration.model.dropout = 0.2
        let (one, run1) = try setting.trainer("one")
        try one.train { _ in }
        setting.configuration.training.accum = 2
        let (two, run2) = try setting.trainer("two")
        try two.train { _ in }
        let (a, b) = (try losses(run1), try losses(run2))
        #expect(a.count == 12)
        for (step, loss) in a {
            let other = try #require(b[step])
            #expect(abs(other / loss - 1) < 1e-4, "step \(step): \(loss) and \(other)")
        }
    }

    @Test func timesAreStratified() throws {
        let noising = Noising(graph: AbsorbingGraph(tokens: 4), noise: LogLinearNoise(), seed: 2, smallestTime: 0.1)
        let times = noising.times(step: 5, strata: 0..<8, of: 8)
        for (index, time) in times.enumerated() {
            let place = (time - 0.1) / 0.9 * 8
            #expect(place > Double(index) && place < Double(index + 1))
        }
        #expect(noising.times(step: 5, strata: 4..<8, of: 8) == Array(times[4...]), "parts of a batch are the batch")
    }

    @Test func divergenceStopsWithTheStepAndTheCheckpoint() throws {
        let setting = try Setting()
        let (trainer, run) = try setting.trainer("nan")
        var poisoned = false
        let error = #expect(throws: SEDDError.self) {
            try trainer.train { event in
                guard case .checkpoint(4, _) = event, !poisoned else { return }
                poisoned = true
                try trainer.weights("blocks.0.mlp.0.weight").copyInPlace(Tensor.full([], .nan))
            }
        }
        #expect(error?.kind == .diverged)
        let text = error?.description ?? ""
        #expect(text.hasPrefix("step 5: the loss is nan"), "\(text)")
        #expect(text.contains(run.checkpoints.url(step: 4).path))
    }

    @Test func aRunIsNotOverwritten() throws {
        let setting = try Setting()
        _ = try setting.trainer("there")
        let error = #expect(throws: SEDDError.self) { _ = try setting.trainer("there") }
        #expect(error?.kind == .usage)
    }

    /// Weights, losses and gradients do not depend on chunks or batches.
    @Test func validationIsTheSameInAnyBatch() throws {
        let network = try randomNetwork(smallConfiguration())
        let term = try DiffusionTerm(network: network, timesPerBlock: 6, seed: 1)
        let blocks = (0..<4).map { row in (0..<12).map { ($0 * 7 + row) % 11 } }
        let whole = try term.evaluate(blocks)
        let small = try term.evaluate(blocks, tokensPerBatch: 24)
        #expect(abs(whole.mean - small.mean) < 1e-6 * abs(whole.mean))
        #expect(try #require(whole.standardError) > 0)
        #expect(try term.evaluate([blocks[0]]).standardError == nil)
    }

    @Test("A stated share of windows begins with documents, the others anywhere, each as often as the next")
    func windows() throws {
        let folder = try TemporaryFolder()
        let text = folder.url.appending(path: "text.txt")
        // Documents of 7 letters and the line end that stands for their end: every eighth token begins one.
        try Data((0..<40).map { _ in "abcdefg" }.joined(separator: "<|endoftext|>").utf8).write(to: text)
        let stream = try TokenDataset(
            sources: [text], tokenizer: ByteTokenizer(), cache: TokenCache(folder: folder.url)
        ).all
        let (length, draws) = (16, 20_000)
        for share in [0.0, 0.3, 1.0] {
            let windows = try TrainingWindows(stream, length: length, documentStarts: share, seed: 5)
            var counts = [Int](repeating: 0, count: stream.count - length + 1)
            for draw in 0..<draws { counts[windows.offset(step: draw / 8, sequence: draw % 8)] += 1 }
            let starts = stride(from: 0, to: counts.count, by: 8).map { counts[$0] }
            let expected = share + (1 - share) * Double(starts.count) / Double(counts.count)
            let found = Double(starts.reduce(0, +)) / Double(draws)
            // Six standard deviations: a false alarm in 5 x 10^8 runs.
            #expect(abs(found - expected) <= 6 * (expected * (1 - expected) / Double(draws)).squareRoot())
            if share < 1 { #expect(counts.allSatisfy { $0 > 0 }) }
            #expect(starts.allSatisfy { $0 > 0 })
        }
        // Without documents the windows are those of earlier versions.
        let plain = try TrainingWindows(stream, length: length, documentStarts: 0, seed: 5)
        let random = RandomStream(seed: 5, purpose: .windows)
        for step in 0..<100 {
            #expect(
                plain.offset(step: step, sequence: 3)
                    == random.integer(below: stream.count - length + 1, step: step, sequence: 3))
        }
    }
}
