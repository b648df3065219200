import Foundation
import Testing

/// Interrupted runs that resume as if nothing had happened.
@Suite struct ResumeTests {
    private let folder: TemporaryFolder
    private let run: URL

    init() throws {
        folder = try TemporaryFolder()
        run = folder.url.appendingPathComponent("run")
    }

    /// Starts an endless run, and waits until it has logged `step`.
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

    /// The content of a step's line except its duration.
    private func lines(_ run: URL) throws -> [String] {
        try TinyRun.metrics(run).map { line in
            ["step", "loss", "gradient_norm", "learning_rate", "validation"].map { key in
                line[key].map { "\(key) \($0)" } ?? ""
            }.joined(separator: " ")
        }
    }

    @Test func killedRunsGoOn() async throws {
        // Checkpoints at 40, 80, ...; lines after the newest one must be rewritten.
        let process = try await started(until: 43)
        process.send(SIGKILL)
        #expect(try await process.wait().code == 128 + SIGKILL)
        // How far it got before the signal depends on the machine.
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

    /// A damaged byte of the log costs its line, and no other.
    @Test func aDamagedLog() async throws {
        let copy = try await folder.copy(TinyRun.shared(), as: "run")
        let log = copy.appendingPathComponent("metrics.jsonl")
        var bytes = try Data(contentsOf: log)
        bytes[bytes.startIndex] = 0xFF
        try bytes.write(to: log)
        let result = try await resume(121)
        #expect(result.code == 0, "\(result.errors)")
        #expect(try TinyRun.losses(copy).count == 121, "that of step 0 had no loss")
        #expect(exists(copy.appendingPathComponent("curve.svg")))
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

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
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

    @Test(arguments: ["model.safetensors", "training/moment1.safetensors", "config.json"])
    func damagedCheckpointsFallBack(name: String) async throws {
        let copy = try await folder.copy(TinyRun.shared(), as: "run")
        let file = copy.appendingPathComponent("checkpoints/step-120/" + name)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count - 3] ^= 1
        try bytes.write(to: file)
        let result = try await resume(120)
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.errors.contains("DAMAGED: \(copy.path)/checkpoints/step-120"), "\(result.errors)")
        #expect(result.errors.contains("checksum"), "\(result.errors)")
        #expect(result.errors.contains("resumed after step 80"), "\(result.errors)")
        let again = copy.appendingPathComponent("checkpoints/step-120/model.safetensors")
        let whole = try await TinyRun.model().appendingPathComponent("model.safetensors")
        #expect(try Data(contentsOf: again) == Data(contentsOf: whole), "what was lost is made again, to the bit")
    }

    @Test func noWholeCheckpointIsRefused() async throws {
        let copy = try await folder.copy(TinyRun.shared(), as: "run")
        let metrics = try Data(contentsOf: copy.appendingPathComponent("metrics.jsonl"))
        for name in try contents(copy.appendingPathComponent("checkpoints")) where name.hasPrefix("step-") {
            try FileManager.default.removeItem(
                at: copy.appendingPathComponent("checkpoints/\(name)/training/moment2.safetensors"))
        }
        let result = try await resume(125)
        expectFailure(result, 65, ["training/moment2.safetensors", "none of the"], "all are damaged", progress: true)
        try FileManager.default.removeItem(at: copy.appendingPathComponent("checkpoints"))
        expectFailure(
            try await resume(125), 66, [copy.path + "/checkpoints", "put them back"], "all are gone", progress: true)
        #expect(try Data(contentsOf: copy.appendingPathComponent("metrics.jsonl")) == metrics, "nothing is changed")
    }

    /// Only `run.yaml` says what the weights of checkpoints mean.
    @Test func checkpointsWithoutTheRunFileAreNotResumed() async throws {
        let copy = try await folder.copy(TinyRun.shared(), as: "run")
        try FileManager.default.removeItem(at: copy.appendingPathComponent("run.yaml"))
        let metrics = try Data(contentsOf: copy.appendingPathComponent("metrics.jsonl"))
        let command = try TinyRun.arguments(in: folder, set: ["noise.type=geometric", "training.n_iters=125"])
        for more in [[], ["--resume"]] {
            let result = try await SeddProcess.run(command + more)
            expectFailure(result, 64, ["checkpoints", "no run.yaml"], "\(more)", progress: true)
        }
        #expect(try Data(contentsOf: copy.appendingPathComponent("metrics.jsonl")) == metrics, "nothing is changed")
    }

    /// A launcher repeats `--from`; what the weights started from stays what it was.
    @Test func aStartedRunKeepsWhatItStartedFrom() async throws {
        let copy = try await folder.copy(TinyRun.shared(), as: "run")
        let model = try await TinyRun.model().path
        for more in [[], Array(try TinyRun.arguments(in: folder).dropFirst().dropLast(2))] {
            let result = try await SeddProcess.run(
                ["train", "--resume", "--output", copy.path, "--from", model] + more + [
                    "--set", "training.n_iters=121",
                ])
            #expect(result.code == 0, "\(result.errors)")
            #expect(
                result.errors.contains("not read, because the run has begun, from random weights"), "\(result.errors)")
            let yaml = try String(contentsOf: copy.appendingPathComponent("run.yaml"), encoding: .utf8)
            #expect(yaml.contains("from: null"), "\(yaml)")
        }
    }

    /// The same command starts a run and resumes it, as launchers repeat commands.
    @Test func oneCommandStartsAndContinues() async throws {
        let command = try TinyRun.arguments(in: folder, set: ["training.n_iters=40"]) + ["--resume"]
        let first = try await SeddProcess.run(command)
        #expect(first.code == 0, "\(first.errors)")
        let second = try await SeddProcess.run(command)
        #expect(second.code == 0, "\(second.errors)")
        #expect(second.errors.contains("the run has finished after 40 steps"), "\(second.errors)")
    }

    @Test func whatARunLastUsedIsKept() async throws {
        let copy = try await folder.copy(TinyRun.shared(), as: "run")
        func yaml() throws -> String {
            try String(contentsOf: copy.appendingPathComponent("run.yaml"), encoding: .utf8)
        }
        let result = try await SeddProcess.run(
            ["train", "--resume", "--output", copy.path, "--set", "training.n_iters=121", "--set", "optim.lr=1e-3"])
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.errors.contains("optim.lr: 0.005 before, 0.001 now"), "\(result.errors)")
        #expect(try yaml().contains("lr: 0.001"))
        let line = try #require(try TinyRun.metrics(copy).last { $0["learning_rate"] != nil })
        #expect(line["learning_rate"] as? Double == 1e-3)
        for (key, value) in [("model.n_blocks", "2"), ("noise.type", "geometric"), ("tokenizer", "characters")] {
            let refused = try await SeddProcess.run(
                ["train", "--resume", "--output", copy.path, "--set", "\(key)=\(value)"])
            expectFailure(refused, 64, [key, "in the run", value], key)
        }
        #expect(try yaml().contains("n_iters: 121"), "what was refused changes nothing")
        let moved = folder.path("elsewhere.txt")
        try FileManager.default.copyItem(atPath: try dataFile(copy), toPath: moved)
        let renamed = try await SeddProcess.run(
            ["train", "--resume", "--output", copy.path, "--data", moved, "--set", "training.n_iters=122"])
        #expect(renamed.code == 0, "\(renamed.errors)")
        #expect(try yaml().contains(moved))
        try Data((TinyRun.text + "More.\n").utf8).write(to: URL(fileURLWithPath: moved))
        let changed = try await SeddProcess.run(
            ["train", "--resume", "--output", copy.path, "--set", "training.n_iters=123"])
        #expect(changed.code == 0, "\(changed.errors)")
        #expect(changed.errors.contains("the data have changed"), "\(changed.errors)")
    }

    private func dataFile(_ run: URL) throws -> String {
        let text = try String(contentsOf: run.appendingPathComponent("run.yaml"), encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasSuffix("story.txt") })
        return line.trimmingCharacters(in: CharacterSet(charactersIn: " -"))
    }

    /// A run keeps the alphabet that its weights were trained with.
    @Test func theAlphabetIsThatOfTheWeights() async throws {
        let set = ["tokenizer=characters", "training.n_iters=40"]
        let first = try await SeddProcess.run(TinyRun.arguments(in: folder, set: set))
        #expect(first.code == 0, "\(first.errors)")
        // As many characters as before, with other ids for most of them.
        let text = TinyRun.text.replacingOccurrences(of: "f", with: "~")
        try Data(text.utf8).write(to: folder.url.appendingPathComponent("story.txt"))
        let result = try await resume(45)
        expectFailure(result, 65, ["U+007E '~'"], "a character that the alphabet lacks", progress: true)
        let alphabet = run.appendingPathComponent("checkpoints/step-40/characters.txt")
        try Data(TinyRun.text.replacingOccurrences(of: "f", with: "t").utf8).write(
            to: folder.url.appendingPathComponent("story.txt"))
        #expect(try await resume(45).code == 0)
        let now = run.appendingPathComponent("checkpoints/step-45/characters.txt")
        #expect(try Data(contentsOf: alphabet) == Data(contentsOf: now))
    }

    @Test func oneProcessTrainsInAFolder() async throws {
        let process = try await started(until: 2)
        let second = try await resume(1_000_000)
        expectFailure(second, 73, [run.path, "a process is training here", "process "], "a second one")
        process.send(SIGTERM)
        #expect(try await process.wait().code == 130)
        #expect(try await resume(20).code == 0, "the lock is gone with its owner")
    }

    /// A copy without links has a folder `last`.
    @Test func aCopyWithoutLinks() async throws {
        let copy = try await folder.copy(TinyRun.shared(), as: "run")
        let checkpoints = copy.appendingPathComponent("checkpoints")
        let last = checkpoints.appendingPathComponent("last")
        try FileManager.default.removeItem(at: last)
        try FileManager.default.copyItem(at: checkpoints.appendingPathComponent("step-120"), to: last)
        let result = try await resume(125)
        #expect(result.code == 0, "\(result.errors)")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: last.path) == "step-125")
        #expect(try contents(checkpoints).allSatisfy { !$0.hasPrefix(".") }, "nothing is left behind")
    }

    /// The best checkpoint exists, whatever the frequencies.
    @Test func theBestIsSaved() async throws {
        let result = try await SeddProcess.run(
            TinyRun.arguments(in: folder, set: ["training.snapshot_freq=1000", "training.eval_freq=20"]))
        #expect(result.code == 0, "\(result.errors)")
        let validations = try TinyRun.metrics(run).compactMap { line -> (Int, Double)? in
            guard let step = line["step"] as? Int, step > 0, let value = line["validation"] as? Double else {
                return nil
            }
            return (step, value)
        }
        let best = try #require(validations.min { $0.1 < $1.1 }?.0)
        #expect(exists(run.appendingPathComponent("checkpoints/step-\(best)/manifest.json")))
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
        expectFailure(result, 66, [folder.path("story.txt"), "--data"], "the data are gone")
    }
}
