import Testing
import Torch

@testable import SEDD
@testable import SEDDServer

@Suite(.timeLimit(.minutes(10)))
struct SamplingEngineTests {
    private func sequence(
        _ model: ServedModel, _ text: String = "", holes: Int, seed: UInt64, steps: Int, alternatives: Int? = nil,
        method: String = "analytic"
    ) throws -> Trajectory {
        let given: [Int?] = text.utf8.map { Int($0) }
        return try model.sampler.start(
            .init(
                template: given + [Int?](repeating: nil, count: holes), seed: seed,
                settings: SamplingSettings(method: method, steps: steps), alternatives: alternatives))
    }

    private func engine(_ model: ServedModel, _ change: (inout ServerLimits) -> Void = { _ in }) throws
        -> SamplingEngine
    {
        var limits = ServerLimits(modelLength: model.length)
        change(&limits)
        return SamplingEngine(sampler: model.sampler, limits: limits.engine)
    }

    private func job(
        _ sequences: [Trajectory], everyStep: Bool = false,
        within: Duration = .seconds(300)
    ) -> Job {
        Job(sequences: sequences, everyStep: everyStep, deadline: .now + within)
    }

    private func last(_ stream: JobStream) async throws -> [Trajectory] {
        var states: [Int: Trajectory] = [:]
        for try await event in stream { if case .step(let index, let state) = event { states[index] = state } }
        return states.keys.sorted().compactMap { states[$0] }
    }

    /// A request's result is the same alone and in batches with other lengths, steps and methods.
    @Test(arguments: [true, false]) func companyDoesNotMatter(_ isAbsorbing: Bool) async throws {
        let model = isAbsorbing ? try Bundled.model.get() : try uniformModel()
        let names = SamplingMethods.all.filter { $0.reverses(model.graph) }.map(\.name)
        let wanted = try (0..<12).map { index in
            try sequence(
                model, String("The old prince".prefix(index)), holes: [24, 17, 9][index % 3], seed: UInt64(index),
                steps: [4, 9, 16, 31][index % 4], method: names[index % names.count])
        }
        let shared = try engine(model) { $0.evaluationTokens = 100 }
        let streams = try wanted.map { try shared.submit(job([$0])) }
        for (first, stream) in zip(wanted, streams) {
            var alone = [first]
            while !alone[0].isFinished { try model.sampler.advance(&alone) }
            let found = try await last(stream)
            #expect(found.map(\.states) == alone.map(\.states), "seed \(first.seed)")
            #expect(found.first?.networkEvaluations == alone[0].networkEvaluations)
        }
        await shared.drain(within: .seconds(5))
    }

    @Test func everyStepIsTold() async throws {
        let model = try Bundled.model.get()
        let engine = try engine(model)
        let first = try sequence(model, "She ", holes: 20, seed: 4, steps: 12, alternatives: 3)
        var (states, count) = (first.states, 0)
        for try await event in try engine.submit(job([first], everyStep: true)) {
            guard case .step(_, let state) = event else { continue }
            count += 1
            #expect(state.done == count)
            for change in state.changes {
                #expect(states[change.position] == model.graph.mask)
                states[change.position] = change.state
                let probability = try #require(change.probability)
                #expect(probability > 0 && probability <= 1)
                #expect(change.alternatives.count == 3)
                let rising = change.alternatives.map(\.probability)
                #expect(rising == rising.sorted(by: >) && rising.reduce(0, +) <= 1 + 1e-6)
                #expect(probability <= rising[0] + 1e-9)
            }
            #expect(states == state.states)
        }
        #expect(count == 13)
        await engine.drain(within: .seconds(5))
    }

    /// A short job that starts later finishes before long ones.
    @Test func aShortJobIsNotHeldBack() async throws {
        let model = try Bundled.model.get()
        let engine = try engine(model)
        let long = try (0..<4).map { try engine.submit(job([sequence(model, holes: 256, seed: $0, steps: 200)])) }
        let short = try engine.submit(job([sequence(model, "It was ", holes: 16, seed: 9, steps: 8)]))
        _ = try await last(short)
        for stream in long {
            #expect(!stream.hasEnded, "a long job has ended before the short one")
            stream.cancel()
        }
        await engine.drain(within: .seconds(5))
    }

    /// A stalled reader stops only its own job.
    @Test func aSlowReaderHoldsNobodyUp() async throws {
        let model = try uniformModel()
        let engine = try engine(model)
        let slow = try engine.submit(job([sequence(model, holes: 24, seed: 1, steps: 400)], everyStep: true))
        let quick = try engine.submit(job([sequence(model, holes: 24, seed: 2, steps: 400)], everyStep: true))
        #expect(try await last(quick).first?.isFinished == true)
        #expect(!slow.hasEnded && !slow.hasRoom, "it waits for its reader, with a full store")
        #expect(try await last(slow).first?.isFinished == true, "and goes on once it is read")
        await engine.drain(within: .seconds(5))
    }

    @Test func whoLeavesFreesThePlace() async throws {
        let model = try Bundled.model.get()
        let engine = try engine(model) { $0.running = 2 }
        let first = try engine.submit(job([sequence(model, holes: 256, seed: 1, steps: 1000)]))
        let second = try engine.submit(job([sequence(model, "a", holes: 8, seed: 2, steps: 1000)]))
        #expect(throws: SamplingEngine.Refusal.queueFull) {
            try engine.submit(job([sequence(model, holes: 8, seed: 3, steps: 4)]))
        }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.next() }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.next() }
        while !engine.isIdle { await Task.yield() }
        #expect(try await last(engine.submit(job([sequence(model, holes: 8, seed: 3, steps: 4)]))).count == 1)
        await engine.drain(within: .seconds(5))
    }

    @Test func aTaskThatIsCancelledCancelsItsJob() async throws {
        let model = try Bundled.model.get()
        let engine = try engine(model)
        let stream = try engine.submit(job([sequence(model, holes: 256, seed: 1, steps: 1000)]))
        let reading = Task { try await last(stream) }
        try await Task.sleep(for: .milliseconds(50))
        reading.cancel()
        await #expect(throws: CancellationError.self) { try await reading.value }
        #expect(stream.isCancelled)
        await engine.drain(within: .seconds(5))
    }

    @Test func deadlinesHold() async throws {
        let model = try Bundled.model.get()
        let engine = try engine(model)
        let running = try engine.submit(
            job([sequence(model, holes: 256, seed: 1, steps: 1000)], within: .milliseconds(200)))
        let waiting = try engine.submit(
            job([sequence(model, holes: 256, seed: 1, steps: 1000)], within: .milliseconds(100)))
        await #expect(throws: SamplingEngine.Refusal.deadline) { try await waiting.next() }
        await #expect(throws: SamplingEngine.Refusal.deadline) { try await running.next() }
        await engine.drain(within: .seconds(5))
    }

    @Test func drainingLetsJobsFinishAndTakesNoMore() async throws {
        let model = try Bundled.model.get()
        let engine = try engine(model)
        let stream = try engine.submit(job([sequence(model, holes: 24, seed: 1, steps: 40)]))
        async let drained: Void = engine.drain(within: .seconds(60))
        while engine.isAccepting { await Task.yield() }
        #expect(throws: SamplingEngine.Refusal.stopping) {
            try engine.submit(job([sequence(model, holes: 8, seed: 3, steps: 4)]))
        }
        #expect(try await last(stream).first?.isFinished == true)
        await drained
    }

    @Test func graceEnds() async throws {
        let model = try Bundled.model.get()
        let engine = try engine(model)
        let stream = try engine.submit(job([sequence(model, holes: 256, seed: 1, steps: 1000)]))
        await engine.drain(within: .milliseconds(100))
        await #expect(throws: SamplingEngine.Refusal.stopping) { try await stream.next() }
    }

    /// A sequence with scores that are not finite ends only its own job; others in the same evaluations get the results
    /// that they get alone.
    @Test func aFailingJobEndsAlone() async throws {
        let model = try absorbingModel()
        try model.network.weights("vocab_embed.embedding").narrowed(0, from: 7, length: 1).copyInPlace(.full([], .nan))
        let engine = try engine(model)
        let good = try (0..<6).map { seed in
            try (0..<2).map { try sequence(model, "ab", holes: 4, seed: UInt64(10 * seed + $0), steps: 6) }
        }
        let bad = [
            try sequence(model, "ab", holes: 4, seed: 1, steps: 6),
            try sequence(model, "\u{7}b", holes: 4, seed: 2, steps: 6),
        ]
        let streams = try good.map { try engine.submit(job($0)) }
        let failing = try engine.submit(job(bad))
        for (sequences, stream) in zip(good, streams) {
            var alone = sequences
            while !alone.allSatisfy(\.isFinished) { try model.sampler.advance(&alone) }
            #expect(try await last(stream).map(\.states) == alone.map(\.states))
        }
        await #expect(throws: SEDDError.self) { while try await failing.next() != nil {} }
        while !engine.isIdle { await Task.yield() }
        await engine.drain(within: .seconds(5))
    }

    /// A few large jobs do not shut small ones out.
    @Test func theLastPlacesAreForJobsOfOneSequence() async throws {
        let model = try uniformModel()
        let engine = try engine(model) { $0.running = 16 }
        let large = try engine.submit(job((0..<14).map { try sequence(model, holes: 24, seed: $0, steps: 1000) }))
        #expect(throws: SamplingEngine.Refusal.queueFull) {
            try engine.submit(job((0..<2).map { try sequence(model, holes: 24, seed: $0, steps: 4) }))
        }
        #expect(try await last(engine.submit(job([sequence(model, holes: 24, seed: 3, steps: 4)]))).count == 1)
        large.cancel()
        await engine.drain(within: .seconds(5))
    }
}
