import Foundation
import Testing

/// An autoregressive baseline, through the same commands.
@Suite struct AutoregressiveCommandTests {
    private func model() async throws -> String {
        try await TinyRun.sharedBaseline().appendingPathComponent("checkpoints/last").path
    }

    @Test func itTrainsByTheSamePreset() async throws {
        let run = try await TinyRun.sharedBaseline()
        let losses = try TinyRun.losses(run)
        #expect(losses.count == 120)
        let (first, last) = (try #require(losses[1]), try #require(losses[120]))
        #expect(abs(first - log(256)) < 0.3 && last < 0.6 * first, "\(first) \(last)")
        #expect(try contents(run.appendingPathComponent("samples")) == ["step-120.txt"])
        let resumed = try await SeddProcess.run(["train", "--resume", "--output", run.path])
        #expect(resumed.code == 0, "\(resumed.errors)")
    }

    @Test func itsPerplexityIsExact() async throws {
        let folder = try TemporaryFolder()
        let data = try folder.file("a.txt", TinyRun.text)
        var found: [String: [String: Any]] = [:]
        for convention in ["bound", "published"] {
            let result = try await SeddProcess.run([
                "evaluate", "--model", model(), "--data", data.path, "--convention", convention, "--json",
            ])
            found[convention] = try objects(result.text).first
        }
        let (whole, published) = (try #require(found["bound"]), try #require(found["published"]))
        #expect(whole["exact"] as? Bool == true && whole["convention"] as? String == "exact")
        #expect((whole["terms"] as? [String: Double])?.keys.sorted() == ["exact"])
        let blocks = try #require(whole["blocks"] as? Int)
        #expect(whole["tokens"] as? Int == blocks * 16)
        // The first token of a block is given, not predicted.
        #expect(published["tokens"] as? Int == blocks * 15)
        #expect(try #require(published["nats_per_token"] as? Double) < #require(whole["nats_per_token"] as? Double))
    }

    @Test func itSamples() async throws {
        let arguments = try await [
            "sample", "--model", model(), "--count", "3", "--seed", "5", "--jsonl", "--template", "the [[*]]",
            "--top-p",
            "0.9", "--temperature", "0.8",
        ]
        let result = try await SeddProcess.run(arguments)
        #expect(result.code == 0, "\(result.errors)")
        let lines = try objects(result.text)
        #expect(lines.count == 3)
        for line in lines {
            #expect((line["text"] as? String)?.hasPrefix("the ") == true)
            #expect((line["tokens"] as? [Int])?.count == 16)
            #expect(line["networkEvaluations"] as? Int == 12)
            #expect(line["sampler"] as? String == "left-to-right" && line["topP"] as? Double == 0.9)
        }
        #expect(
            try await SeddProcess.run(arguments + ["--batch", "1"]).lines.map { try objects($0)[0]["text"] as? String }
                == lines.map { $0["text"] as? String })
    }

    @Test func mistakes() async throws {
        let model = try await model()
        let table: [(String, [String], [String])] = [
            ("a suffix", ["--model", model, "--template", "[[*]]end"], ["prefix", "[[*]]"]),
            ("a sampler", ["--model", model, "--sampler", "euler"], ["--sampler"]),
            ("no temperature", ["--model", model, "--temperature", "0"], ["temperature"]),
            ("too long", ["--model", model, "--length", "17"], ["17", "context of 16"]),
        ]
        for (name, arguments, words) in table {
            let result = try await SeddProcess.run(["sample", "--seed", "1"] + arguments)
            expectFailure(result, 64, words, name)
        }
    }
}
