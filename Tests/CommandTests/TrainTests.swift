import Foundation
import Testing

/// A whole training run through the command: files, losses, reproducibility.
@Suite struct TrainTests {
    @Test func runFolder() async throws {
        let run = try await TinyRun.shared()
        let names = try contents(run)
        #expect(Set(names).isSuperset(of: ["run.yaml", "metrics.jsonl", "checkpoints", "samples"]), "\(names)")
        let events = names.filter { $0.hasPrefix("events.out.tfevents.") }
        #expect(events.count == 1, "\(names)")
        let event = run.appendingPathComponent(events.first ?? "none")
        #expect(try Data(contentsOf: event).count > 120 * 30, "an event for each step")

        let checkpoints = run.appendingPathComponent("checkpoints")
        #expect(try contents(checkpoints).filter { !$0.hasPrefix("step-") } == ["last"], "no partial folders are left")
        let model = checkpoints.appendingPathComponent("step-120")
        #expect(try contents(model) == ["config.json", "manifest.json", "model.safetensors", "training"])
        #expect(exists(checkpoints.appendingPathComponent("last/config.json")), "last is the newest")
        #expect(!exists(checkpoints.appendingPathComponent("step-0")))
        let manifest = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: model.appendingPathComponent("manifest.json")))
                as? [String: Any])
        let files = try #require(manifest["files"] as? [String: [String: Any]])
        let training = try contents(model.appendingPathComponent("training")).map { "training/" + $0 }
        #expect(Set(files.keys) == Set(["config.json", "model.safetensors"] + training))
        #expect(training.count >= 4, "weights, two moments, progress: \(training)")
        for (name, entry) in files {
            let size = try Data(contentsOf: model.appendingPathComponent(name)).count
            #expect(entry["bytes"] as? Int == size && (entry["sha256"] as? String)?.count == 64, "\(name)")
        }
        #expect(try contents(run.appendingPathComponent("samples")) == ["step-120.txt"])
    }

    @Test func resolvedConfiguration() async throws {
        let file = try await TinyRun.shared().appendingPathComponent("run.yaml")
        let yaml = try String(contentsOf: file, encoding: .utf8)
        for line in ["hidden_size: 32", "n_iters: 120", "weight_decay: 0", "tokenizer: byte", "story.txt"] {
            #expect(yaml.contains(line), "\(yaml)")
        }
    }

    @Test func metrics() async throws {
        let lines = try TinyRun.metrics(await TinyRun.shared())
        let steps = lines.filter { $0["loss"] != nil }
        #expect(steps.map { $0["step"] as? Int } == (1...120).map { $0 })
        let losses = steps.compactMap { $0["loss"] as? Double }
        try #require(losses.count == 120)
        #expect(losses.allSatisfy { $0 > 0 && $0 < 100 })
        let first = losses.prefix(20).reduce(0, +) / 20
        let last = losses.suffix(20).reduce(0, +) / 20
        #expect(last < 0.8 * first, "nats per token fell from \(first) to \(last)")
        let held = lines.filter { $0["validation"] != nil }
        #expect(held.map { $0["step"] as? Int } == [0, 40, 80, 120])
        let validations = held.compactMap { $0["validation"] as? Double }
        #expect(try #require(validations.last) < 0.8 * #require(validations.first), "\(validations)")
        for key in ["gradient_norm", "learning_rate", "tokens_per_second"] {
            #expect(steps.allSatisfy { $0[key] is Double }, "\(key) on every line")
        }
    }

    @Test func twoRunsAreOne() async throws {
        let folder = try TemporaryFolder()
        let again = try await SeddProcess.run(TinyRun.arguments(in: folder))
        #expect(again.code == 0, "\(again.errors)")
        #expect(again.output.isEmpty, "progress goes to stderr: \(again.text)")
        let run = folder.url.appendingPathComponent("run")
        #expect(try await TinyRun.losses(run) == TinyRun.losses(TinyRun.shared()))
        let name = "checkpoints/step-120/model.safetensors"
        let weights = try await Data(contentsOf: TinyRun.shared().appendingPathComponent(name))
        #expect(try Data(contentsOf: run.appendingPathComponent(name)) == weights, "the same weights, to the bit")
    }

    @Test func anotherSeedIsAnotherRun() async throws {
        let folder = try TemporaryFolder()
        let other = try await SeddProcess.run(
            TinyRun.arguments(in: folder, set: ["training.seed=1", "training.n_iters=10"]))
        #expect(other.code == 0, "\(other.errors)")
        let losses = try TinyRun.losses(folder.url.appendingPathComponent("run"))
        #expect(losses.count == 10)
        let shared = try await TinyRun.losses(TinyRun.shared())
        #expect((1...3).allSatisfy { losses[$0] != shared[$0] })
    }

    @Test(arguments: ["absorb", "uniform"])
    func partsOfABatchAddUp(graph: String) async throws {
        let folder = try TemporaryFolder()
        var losses: [[Int: Double]] = []
        for parts in [1, 2] {
            let set = [
                "training.n_iters=10", "training.accum=\(parts)", "graph.type=\(graph)", "training.sample_freq=0",
            ]
            let result = try await SeddProcess.run(TinyRun.arguments(in: folder, output: "run\(parts)", set: set))
            try #require(result.code == 0, "\(result.errors)")
            losses.append(try TinyRun.losses(folder.url.appendingPathComponent("run\(parts)")))
        }
        for step in 1...10 {
            let whole = try #require(losses[0][step])
            for other in losses.dropFirst() {
                let found = try #require(other[step])
                #expect(abs(found - whole) <= 1e-4 * whole, "step \(step): \(found) in parts, \(whole) as one")
            }
        }
    }

    @Test func checkpointsAreKept() async throws {
        let folder = try TemporaryFolder()
        let set = ["training.n_iters=25", "training.snapshot_freq=5", "training.keep=2", "training.eval_freq=1000"]
        let result = try await SeddProcess.run(TinyRun.arguments(in: folder, set: set))
        #expect(result.code == 0, "\(result.errors)")
        // The last two, and the best if it is another one; here it is the last, the only one validated.
        #expect(try contents(folder.url.appendingPathComponent("run/checkpoints")) == ["last", "step-20", "step-25"])
    }
}
