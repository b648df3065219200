import Foundation
import Testing

/// Runs that are ended in the middle and go on as if nothing had happened.
@Suite struct ResumeTests {
    private let folder: TemporaryFolder
    private let run: URL

    init() throws {
        folder = try TemporaryFolder()
        run = folder.url.appendingPathComponent("run")
    }

    /// Starts a run that would never end by itself, and waits until it logged `step`.
    private func started(until step: Int, set: [String] = []) async throws -> SeddProcess {
        let process = try SeddProcess(
            TinyRun.arguments(in: folder, set: ["training.n_iters=1000000", "training.sample_freq=0"] + set))
        let file = run.appendingPathComponent("metrics.jsonl")
        try await process.wait(
            until: { (try? String(contentsOf: file, encoding: .utf8))?.contains("{\"step\":\(step),") ?? false },
            "training reaches step \(step)")
        return process
    }

    private func resume(_ steps: Int) async throws -> SeddProcess.Result {
        try await SeddProcess.run(
            ["train", "--resume", "--output", run.path, "--set", "training.n_iters=\(steps)"])
    }

    /// What a step's line says beside how long it took.
    private func lines(_ run: URL) throws -> [String] {
        try TinyRun.metrics(run).map { line in
            ["step", "loss", "gradient_norm", "learning_rate", "validation"].map { key in
                line[key].map { "\(key) \($0)" } ?? ""
            }.joined(separator: " ")
        }
    }

    @Test func killedRunsGoOn() async throws {
        // Checkpoints at 40, 80, ...; the lines after the newest one are to be written anew.
        let process = try await started(until: 43)
        process.send(SIGKILL)
        #expect(try await process.wait().code == 128 + SIGKILL)
        // How far it came before the signal reached it is up to the machine.
        let steps = try contents(run.appendingPathComponent("checkpoints"))
            .compactMap { $0.hasPrefix("step-") ? Int($0.dropFirst(5)) : nil }
        let target = try #require(steps.max()) + 40
        let result = try await resume(target)
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.errors.contains("resumed after step"), "\(result.errors)")
        let other = try TemporaryFolder()
        let uninterrupted = try await SeddProcess.run(
            TinyRun.arguments(in: other, set: ["training.n_iters=\(target)", "training.sample_freq=0"]))
        #expect(uninterrupted.code == 0, "\(uninterrupted.errors)")
        let whole = other.url.appendingPathComponent("run")
        #expect(try lines(run) == lines(whole), "the lines of a run that was not killed")
        let name = "checkpoints/step-\(target)/model.safetensors"
        let weights = try Data(contentsOf: whole.appendingPathComponent(name))
        #expect(try Data(contentsOf: run.appendingPathComponent(name)) == weights, "the same weights, to the bit")
        #expect(try contents(run).filter { $0.hasPrefix("events.") }.count == 2, "each start has its events")
    }

    @Test func killedBeforeTheFirstCheckpoint() async throws {
        let process = try await started(
            until: 3, set: ["training.snapshot_freq=1000000", "training.eval_freq=1000000"])
        process.send(SIGKILL)
        _ = try await process.wait()
        let result = try await resume(10)
        #expect(result.code == 0, "\(result.errors)")
        let lines = try TinyRun.metrics(run)
        #expect(lines.filter { $0["loss"] != nil }.map { $0["step"] as? Int } == (1...10).map { $0 })
        let held = lines.filter { $0["validation"] != nil }.map { $0["step"] as? Int }
        #expect(held == [0, 10], "one line for each validation")
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func interruptedRunsSaveAndGoOn(signal: Int32) async throws {
        let process = try await started(until: 5, set: ["training.snapshot_freq=1000000"])
        process.send(signal)
        let result = try await process.wait()
        #expect(result.code == 130, "\(result.errors)")
        #expect(result.lastError.hasPrefix("sedd: "), "\(result.errors)")
        #expect(result.lastError.contains("--resume --output \(run.path)"), "\(result.errors)")
        let last = try #require(try TinyRun.losses(run).keys.max())
        #expect(exists(run.appendingPathComponent("checkpoints/step-\(last)/manifest.json")), "the last step is saved")
        let resumed = try await resume(last + 5)
        #expect(resumed.code == 0, "\(resumed.errors)")
        #expect(try TinyRun.losses(run).keys.sorted() == Array(1...(last + 5)))
        let shared = try await TinyRun.losses(TinyRun.shared())
        for (step, loss) in try TinyRun.losses(run) where step <= 120 { #expect(loss == shared[step], "step \(step)") }
    }

    @Test(arguments: [
        "model.safetensors", "training/moment1.safetensors", "config.json",
    ])
    func damagedCheckpointsAreRefused(name: String) async throws {
        let copy = try await folder.copy(TinyRun.shared(), as: "run")
        let file = copy.appendingPathComponent("checkpoints/step-120/" + name)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count - 3] ^= 1
        try bytes.write(to: file)
        let metrics = try Data(contentsOf: copy.appendingPathComponent("metrics.jsonl"))
        let result = try await resume(125)
        #expect(result.code == 65, "\(result.errors)")
        #expect(result.lastError.hasPrefix("sedd: \(file.path)"), "\(result.errors)")
        #expect(result.lastError.contains("checksum"), "\(result.errors)")
        #expect(try Data(contentsOf: copy.appendingPathComponent("metrics.jsonl")) == metrics, "nothing is changed")
    }

    @Test func absentPartsAreRefused() async throws {
        let copy = try await folder.copy(TinyRun.shared(), as: "run")
        let checkpoint = copy.appendingPathComponent("checkpoints/step-120")
        let name = "training/moment2.safetensors"
        try FileManager.default.removeItem(at: checkpoint.appendingPathComponent(name))
        let result = try await resume(125)
        #expect(result.code == 65, "\(result.errors)")
        #expect(result.lastError.contains(name), "\(result.errors)")
    }

    @Test func finishedRunsStayFinished() async throws {
        let copy = try await folder.copy(TinyRun.shared(), as: "run")
        let before = try lines(copy)
        let result = try await SeddProcess.run(["train", "--resume", "--output", copy.path])
        #expect(result.code == 0, "\(result.errors)")
        #expect(try lines(copy) == before)
    }

    @Test func resumingNeedsTheDataAsTheyWere() async throws {
        let process = try await started(until: 2)
        process.send(SIGINT)
        #expect(try await process.wait().code == 130)
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("story.txt"))
        let result = try await resume(1000)
        expectFailure(result, 66, [folder.path("story.txt")], "the data are gone")
    }
}
