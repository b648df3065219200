import FakeHub
import Foundation
import Testing

/// Models by name: of the hub, bundled, and runs.
@Suite(.timeLimit(.minutes(10)))
struct HubCommandTests: Sendable {
    private static let commit = String(repeating: "a", count: 40)
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func environment(_ endpoint: String, offline: Bool = false) -> [String: String] {
        ["HF_ENDPOINT": endpoint, "HF_HOME": folder.path("hf"), "HF_HUB_OFFLINE": offline ? "1" : "0"]
    }

    /// The files of a model folder as a repository of the hub.
    private func repository(_ model: URL, without left: Set<String> = []) throws -> FakeHub.Repository {
        var files: [String: FakeHub.File] = [:]
        for name in try contents(model) where name != "training" && !left.contains(name) {
            let bytes = [UInt8](try Data(contentsOf: model.appendingPathComponent(name)))
            files[name] = FakeHub.File(bytes, isLarge: name.hasSuffix(".safetensors"))
        }
        return FakeHub.Repository(commit: Self.commit, files: files)
    }

    private let sampling = ["--seed", "7", "--steps", "2", "--jsonl"]

    /// The tokens of the first sample.
    private func tokens(_ result: SeddProcess.Result) throws -> [Int] {
        try #require(try objects(result.text).first?["tokens"] as? [Int], "\(result.errors)")
    }

    /// A model is fetched by the command that names it, is available offline to the next one, and gives the texts of its folder.
    @Test func byName() async throws {
        let model = try await TinyRun.model()
        let fake = FakeHub(["org/tiny": try repository(model)])
        let local = try await SeddProcess.run(["sample", "--model", model.path] + sampling)
        try await fake.run { endpoint in
            let fetched = try await SeddProcess.run(
                ["sample", "--model", "org/tiny"] + sampling, environment: environment(endpoint))
            #expect(fetched.code == 0, "\(fetched.errors)")
            #expect(try tokens(fetched) == tokens(local))
        }
        let offline = try await SeddProcess.run(
            ["sample", "--model", "org/tiny@\(Self.commit)"] + sampling,
            environment: environment("http://127.0.0.1:1", offline: true))
        #expect(try tokens(offline) == tokens(local))
        let listed = try await SeddProcess.run(
            ["models", "--json"], environment: environment("http://127.0.0.1:1", offline: true))
        let entries = try objects(listed.text).filter { $0["source"] as? String == "cache" }
        #expect(entries.map { $0["name"] as? String } == ["org/tiny"], "\(listed.text)")
    }

    @Test func download() async throws {
        let fake = FakeHub(["org/tiny": try repository(await TinyRun.model())])
        try await fake.run { endpoint in
            let result = try await SeddProcess.run(
                ["download", "org/tiny", "--json"], environment: environment(endpoint))
            #expect(result.code == 0, "\(result.errors)")
            let object = try #require(objects(result.text).first)
            #expect(object["commit"] as? String == Self.commit)
            let place = try #require(object["folder"] as? String)
            #expect(exists(URL(filePath: place).appendingPathComponent("model.safetensors")))
            expectFailure(
                try await SeddProcess.run(["download", "org/none"], environment: environment(endpoint)), 66,
                ["org/none", "no such repository", "HF_TOKEN"], "no such repository")
        }
        expectFailure(
            try await SeddProcess.run(["download", "org/tiny/x"]), 64, ["org/tiny/x", "org/name"], "not a name")
    }

    /// As many tokens as GPT-2 and no tokenizer beside the weights, as diffusion models are published.
    @Test func tokenizerOfReleasedModels() async throws {
        let gpt2 = try vocabulary()
        let trained = try await SeddProcess.run(
            TinyRun.arguments(
                in: folder,
                set: [
                    "tokenizer=gpt2:\(gpt2.path)", "model.hidden_size=8", "training.n_iters=1", "training.eval_freq=1",
                    "training.snapshot_freq=1", "training.sample_freq=1", "optim.warmup=1",
                ]))
        try #require(trained.code == 0, "\(trained.errors)")
        let model = folder.url.appendingPathComponent("run/checkpoints/step-1")
        var released = try repository(model, without: ["vocab.json", "merges.txt", "manifest.json"])
        let text = String(decoding: released.files["config.json"]?.content ?? [], as: UTF8.self)
        released.files["config.json"] = FakeHub.File(text.replacing("\"tokenizer\"", with: "\"other\""))
        let fake = FakeHub(["org/released": released, "openai-community/gpt2": try repository(gpt2)])
        try await fake.run { endpoint in
            let downloaded = try await SeddProcess.run(
                ["download", "org/released"], environment: environment(endpoint))
            #expect(downloaded.code == 0, "\(downloaded.errors)")
        }
        let nowhere = environment("http://127.0.0.1:1", offline: true)
        let local = try await SeddProcess.run(["sample", "--model", model.path] + sampling)
        let result = try await SeddProcess.run(["sample", "--model", "org/released"] + sampling, environment: nowhere)
        #expect(result.errors.contains("openai-community/gpt2"), "\(result.errors)")
        #expect(try tokens(result) == tokens(local))
        let ids = try await SeddProcess.run(
            ["tokenize", "--tokenizer", "hf:openai-community/gpt2"], stdin: "ab", environment: nowhere)
        let expected = try await SeddProcess.run(["tokenize", "--tokenizer", "gpt2:\(gpt2.path)"], stdin: "ab")
        #expect(ids.text == expected.text)
        #expect(!ids.text.isEmpty, "\(ids.errors)")
        let tuned = try await SeddProcess.run(
            [
                "train", "--from", "org/released", "--data", folder.path("story.txt"), "--output", folder.path("tuned"),
                "--set",
                "training.n_iters=1", "--set", "optim.warmup=1", "--set", "training.batch_size=2", "--set",
                "training.eval_blocks=2", "--set", "training.eval_times=1", "--set", "sampling.steps=2",
            ], environment: nowhere)
        #expect(tuned.code == 0, "\(tuned.errors)")
        let yaml = try String(contentsOfFile: folder.path("tuned/run.yaml"), encoding: .utf8)
        #expect(yaml.contains("tokenizer: hf:openai-community/gpt2"), "\(yaml)")
        let other = ["HF_HOME": folder.path("empty")]
        let place = folder.url.appendingPathComponent("hf/hub/models--org--released/snapshots/\(Self.commit)")
        expectFailure(
            try await SeddProcess.run(["sample", "--model", place.path] + sampling, environment: other), 66,
            ["no tokenizer", "GPT-2", "--tokenizer"], "neither cached nor reachable")
    }

    /// 50257 tokens: the bytes, and others that do not occur in texts.
    private func vocabulary() throws -> URL {
        // GPT-2 shows a byte as itself where it is printable, and otherwise as one of the characters from U+0100 on.
        let printable = Array(33...126) + Array(161...172) + Array(174...255)
        var others = 0
        var tokens: [String: Int] = [:]
        for byte in 0..<256 {
            var scalar = byte
            if !printable.contains(byte) {
                scalar = 256 + others
                others += 1
            }
            tokens[String(Character(try #require(Unicode.Scalar(scalar))))] = byte
        }
        for id in 256..<50256 { tokens["unused\(id)"] = id }
        tokens["<|endoftext|>"] = 50256
        try folder.file("gpt2/vocab.json", JSONEncoder().encode(tokens))
        return try folder.file("gpt2/merges.txt", "#version: 0.2\n").deletingLastPathComponent()
    }

    /// A run stands for its best checkpoint, which is reported.
    @Test func run() async throws {
        let run = try await TinyRun.shared()
        let result = try await SeddProcess.run(["sample", "--model", run.path] + sampling)
        #expect(result.code == 0, "\(result.errors)")
        let steps = result.errors.firstMatch(of: /best checkpoint, step (\d+)/).map { $0.1 }
        let step = try #require(steps, "\(result.errors)")
        let direct = try await SeddProcess.run(
            ["sample", "--model", run.path + "/checkpoints/step-\(step)"] + sampling)
        #expect(try tokens(result) == tokens(direct))
        let empty = try folder.file("empty/run.yaml", Data(contentsOf: run.appendingPathComponent("run.yaml")))
        expectFailure(
            try await SeddProcess.run(["sample", "--model", empty.deletingLastPathComponent().path]), 66,
            ["without a checkpoint"], "nothing saved yet")
    }

    /// Bundled models have short names, valid in any folder; a folder of that name takes precedence.
    @Test func bundled() async throws {
        let arguments = ["sample", "--model", "gutenberg", "--length", "8"] + sampling
        let result = try await SeddProcess.run(arguments, shell: "cd / && exec \"$@\"")
        #expect(try tokens(result).count == 8, "\(result.errors)")
        let shadow = try folder.file("gutenberg/readme.txt", "").deletingLastPathComponent().deletingLastPathComponent()
        expectFailure(
            try await SeddProcess.run(arguments, shell: "cd '\(shadow.path)' && exec \"$@\""), 66, ["config.json"],
            "a folder")
        let listed = try await SeddProcess.run(["models"])
        #expect(listed.lines.contains { $0.hasPrefix("gutenberg") && $0.contains("bundled") }, "\(listed.text)")
        expectFailure(
            try await SeddProcess.run(["sample", "--model", "gutenburg"]), 66, ["did you mean gutenberg"], "misspelt")
    }

    /// A misspelt path may look like a name of the hub: the error mentions both.
    @Test func neither() async throws {
        let environment = ["HF_ENDPOINT": "http://127.0.0.1:1", "HF_HUB_OFFLINE": "0"]
        expectFailure(
            try await SeddProcess.run(["sample", "--model", "runs/none"], environment: environment), 66,
            ["runs/none", "no such folder or file", "127.0.0.1:1", "refused"], "unreachable")
        expectFailure(
            try await SeddProcess.run(["sample", "--model", "runs/none"]), 66,
            ["runs/none", "no such folder or file", "HF_HUB_OFFLINE"], "offline")
    }
}
