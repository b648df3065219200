import Foundation
import Testing

/// Published layouts of checkpoints through the commands, and a run that trains a law of clean tokens.
@Suite struct LayoutTests {
    private let folder: TemporaryFolder
    private let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("SEDDTests/Golden/checkpoints")

    init() throws { folder = try TemporaryFolder() }

    private func run(_ arguments: [String]) async throws -> SeddProcess.Result {
        let result = try await SeddProcess.run(arguments)
        try #require(result.code == 0, "\(arguments.first ?? ""): \(result.errors)")
        return result
    }

    @Test(
        arguments: [
            ("mdlm", "MDLM's layout: outputs are laws of clean tokens, sigma held at 0, the last state is MASK"),
            ("bd3lm", "BD3-LM's layout: outputs are laws of clean tokens, sigma held at 0, the last state is MASK"),
            (
                "radd",
                "RADD's layout: outputs are laws of clean tokens, without layers on sigma, the last state is MASK"
            ),
            ("duo", "Duo's layout: outputs are laws of clean tokens, conditioned on sigma, the uniform chain"),
        ]) func commands(_ layout: String, _ note: String) async throws
    {
        let source = golden.appendingPathComponent(layout).path
        let alphabet = try folder.file("alphabet.txt", "abcdefghijk")
        let tokenizer = ["--tokenizer", "characters:\(alphabet.path)"]
        let sampled = try await run(
            ["sample", "--model", source, "--jsonl", "--count", "3", "--seed", "5", "--steps", "40"] + tokenizer)
        #expect(sampled.errors.contains(note), "\(sampled.errors)")
        let lines = try objects(sampled.text)
        try #require(lines.count == 3)
        for line in lines {
            let tokens = try #require(line["tokens"] as? [Int])
            #expect(tokens.count == 9 && tokens.allSatisfy { (0..<11).contains($0) })
            let evaluations = try #require(line["networkEvaluations"] as? Int)
            // A law without time is evaluated when a token has settled, one with time at every step.
            #expect(layout == "duo" ? evaluations == 41 : evaluations <= 9, "\(evaluations)")
        }
        let data = try folder.file("data.txt", String(repeating: "abcdefghijkjihgfedcb", count: 20))
        let evaluated = try await run(["evaluate", "--model", source, "--data", data.path, "--json"] + tokenizer)
        let report = try #require(try objects(evaluated.text).first)
        #expect(try #require(report["nats_per_token"] as? Double) > 0)
        if layout != "duo" {
            let exact = try await run(
                ["evaluate", "--model", source, "--data", data.path, "--json", "--order", "confidence"] + tokenizer)
            #expect(try #require(objects(exact.text).first?["nats_per_token"] as? Double) > 0)
        }
        let own = folder.path("own")
        _ = try await run(["convert", "--from", source, "--to", own])
        _ = try await run(["convert", "--from", own, "--to", folder.path("back"), "--layout", layout])
        let back = folder.url.appendingPathComponent("back/model.safetensors")
        let (a, b) = (
            try PlainSafetensors.read(back),
            try PlainSafetensors.read(URL(fileURLWithPath: source).appendingPathComponent("model.safetensors"))
        )
        #expect(a.mapValues(\.bytes) == b.mapValues(\.bytes))
        let again = try await run(
            ["sample", "--model", folder.path("back"), "--jsonl", "--count", "3", "--seed", "5", "--steps", "40"]
                + tokenizer)
        #expect(try objects(again.text).map { $0["text"] as? String } == lines.map { $0["text"] as? String })
    }

    /// Duo's chain has a state for padding, which has no text.
    @Test func padding() async throws {
        let source = golden.appendingPathComponent("duo").path
        let alphabet = try folder.file("alphabet.txt", "abcdefghij")
        let result = try await run(
            ["sample", "--model", source, "--jsonl", "--tokenizer", "characters:\(alphabet.path)", "--count", "8"])
        #expect(result.errors.contains("11 tokens, the tokenizer 10; the last one is padding"))
        let lines = try objects(result.text)
        for line in lines {
            let tokens = try #require(line["tokens"] as? [Int])
            let letters = tokens.filter { $0 < 10 }.map { String(UnicodeScalar(UInt8(97 + $0))) }.joined()
            #expect(line["text"] as? String == letters)
        }
        #expect(lines.contains { ($0["tokens"] as? [Int])?.contains(10) == true }, "none of the texts has padding")
    }

    /// Trained on, stopped and resumed with the state for padding, which the run's configuration then states.
    @Test func furtherTrainingWithPadding() async throws {
        let source = golden.appendingPathComponent("duo").path
        let alphabet = try folder.file("alphabet.txt", "abcdefghij")
        let data = try folder.file("data.txt", String(repeating: "abcdefghijjihgfedcba", count: 30))
        let training = [
            "train", "--from", source, "--data", data.path, "--output", folder.path("run"), "--set",
            "tokenizer=characters:\(alphabet.path)", "--set", "training.n_iters=2", "--set", "optim.warmup=0",
        ]
        for padding in [0, 2] {
            let refused = try await SeddProcess.run(training + ["--set", "model.padding=\(padding)"])
            expectFailure(refused, 64, ["model.padding is \(padding); the model has 1 token", "the 10"], "\(padding)")
        }
        _ = try await run(training)
        let yaml = try String(contentsOfFile: folder.path("run/run.yaml"), encoding: .utf8)
        #expect(yaml.contains("  padding: 1\n"), "\(yaml)")
        _ = try await run(["train", "--resume", "--output", folder.path("run"), "--set", "training.n_iters=4"])
        let sampled = try await run(["sample", "--model", folder.path("run"), "--jsonl", "--count", "8"])
        #expect(sampled.errors.contains("11 tokens, the tokenizer 10; the last one is padding"))
        #expect(
            try objects(sampled.text).allSatisfy { ($0["text"] as? String)?.allSatisfy { "a"..."j" ~= $0 } == true })
        // The run states its padding, so a tokenizer of all eleven tokens cannot be its own.
        let more = try folder.file("more.txt", "abcdefghijk")
        let other = try await SeddProcess.run(
            ["sample", "--model", folder.path("run"), "--tokenizer", "characters:\(more.path)"])
        expectFailure(other, 65, ["the tokenizer has 11 tokens", "10 and 1 of padding"], "eleven", progress: true)
        let model = folder.path("run/checkpoints/step-4")
        _ = try await run(["convert", "--from", model, "--to", folder.path("back"), "--layout", "duo"])
        _ = try await run(
            ["sample", "--model", folder.path("back"), "--tokenizer", "characters:\(alphabet.path)"])
        _ = try await run(
            [
                "train", "--from", model, "--data", data.path, "--output", folder.path("more"), "--set",
                "training.n_iters=1", "--set", "optim.warmup=0",
            ])
    }

    /// A network with more tokens than its tokenizer, from random weights.
    @Test func paddingOfNewModels() async throws {
        let keys = [
            "model.parametrisation=cleanToken", "model.conditioning=none", "training.n_iters=2", "optim.warmup=0",
        ]
        let baseline = try await SeddProcess.run(
            TinyRun.arguments(in: folder, set: ["model=autoregressive", "model.padding=3"]))
        expectFailure(baseline, 64, ["model.padding is 3; expected 0 with model.type autoregressive"], "baseline")
        _ = try await run(TinyRun.arguments(in: folder, set: keys + ["model.padding=3"]))
        let sampled = try await run(["sample", "--model", folder.path("run"), "--length", "16", "--steps", "4"])
        #expect(sampled.errors.contains("259 tokens, the tokenizer 256; the last 3 are padding"))
        let model = folder.path("run/checkpoints/step-2")
        let converted = try await SeddProcess.run(
            ["convert", "--from", model, "--to", folder.path("radd"), "--layout", "radd"])
        expectFailure(converted, 64, ["no token beyond the tokenizer's; found 3"], "RADD", progress: true)
        _ = try await run(["convert", "--from", model, "--to", folder.path("copy")])
        // What it lists would be refused as changed.
        try FileManager.default.removeItem(atPath: folder.path("copy/manifest.json"))
        let configuration = URL(fileURLWithPath: folder.path("copy/config.json"))
        let text = try String(contentsOf: configuration, encoding: .utf8)
        for (value, code, words) in [
            ("2", Int32(65), ["the tokenizer has 256 tokens", "257 and 2 of padding"]),
            ("259", 65, ["padding is 259", "0 to 258"]),
            ("-1", 65, ["padding is -1"]),
        ] {
            let changed = text.replacingOccurrences(of: "\"padding\" : 3", with: "\"padding\" : \(value)")
            try #require(changed != text)
            try changed.write(to: configuration, atomically: true, encoding: .utf8)
            let result = try await SeddProcess.run(["sample", "--model", folder.path("copy"), "--steps", "1"])
            expectFailure(result, code, words, value, progress: true)
        }
    }

    @Test func layoutsThatDoNotFit() async throws {
        let source = golden.appendingPathComponent("mdlm").path
        for (target, options, words) in [
            ("a", ["--layout", "radd"], ["RADD", "conditioning none", "zero"]),
            ("a", ["--layout", "duo"], ["Duo", "graph uniform", "absorb"]),
            ("a.pth", [], ["parametrisation cleanToken", ".safetensors"]),
            ("a", ["--layout", "llada"], ["llada", "mdlm"]),
        ] {
            let result = try await SeddProcess.run(
                ["convert", "--from", source, "--to", folder.path(target)] + options)
            expectFailure(result, 64, words, "\(options)", progress: true)
            #expect(!exists(folder.url.appendingPathComponent(target)))
        }
    }

    /// Trained, resumed, listed, fine-tuned from, and written in RADD's layout.
    @Test func training() async throws {
        let keys = ["model.parametrisation=cleanToken", "model.conditioning=none", "training.n_iters=40"]
        _ = try await run(TinyRun.arguments(in: folder, set: keys))
        let yaml = try String(contentsOfFile: folder.path("run/run.yaml"), encoding: .utf8)
        #expect(yaml.contains("parametrisation: cleanToken") && yaml.contains("scale_by_sigma: false"))
        _ = try await run(["train", "--resume", "--output", folder.path("run"), "--set", "training.n_iters=60"])
        let model = folder.path("run/checkpoints/step-60")
        let listed = try await run(["models", folder.url.path])
        #expect(listed.text.contains("diffusion, absorb, cleanToken, 256 tokens"), "\(listed.text)")
        _ = try await run(["convert", "--from", model, "--to", folder.path("radd"), "--layout", "radd"])
        let names = try PlainSafetensors.read(folder.url.appendingPathComponent("radd/model.safetensors")).keys
        #expect(names.contains("blocks.0.norm1.bias") && !names.contains { $0.contains("adaLN") })
        _ = try await run(
            [
                "train", "--from", folder.path("radd"), "--data", folder.path("story.txt"), "--output",
                folder.path("more"),
            ]
                + ["--set", "training.n_iters=2", "--set", "optim.warmup=0"])
        let sampled = try await run(["sample", "--model", folder.path("more"), "--length", "16", "--steps", "4"])
        #expect(!sampled.text.isEmpty)
        let scaled = try await SeddProcess.run(
            TinyRun.arguments(in: folder, output: "bad", set: keys + ["model.scale_by_sigma=true"]))
        expectFailure(scaled, 64, ["model.scale_by_sigma is true", "cleanToken"], "scaled")
    }
}
