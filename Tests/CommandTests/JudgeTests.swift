import Foundation
import Testing

/// `sedd judge` on samples of one model under another.
@Suite struct JudgeCommandTests {
    private func judge() async throws -> String {
        try await TinyRun.sharedBaseline().appendingPathComponent("checkpoints/last").path
    }

    @Test func samplesOfOneModelUnderAnother() async throws {
        let folder = try TemporaryFolder()
        let made = try await SeddProcess.run([
            "sample", "--model", TinyRun.model().path, "--count", "24", "--steps", "8", "--seed", "1", "--jsonl",
        ])
        let samples = try folder.file("s.jsonl", made.output)
        let reference = try folder.file("story.txt", TinyRun.text)
        let result = try await SeddProcess.run([
            "judge", "--model", judge(), "--samples", samples.path, "--reference", reference.path, "--seeds", "3",
            "--json",
        ])
        let report = try #require(objects(result.text).first, "\(result.errors)")
        #expect(report["count"] as? Int == 24 && report["steps"] as? Int == 8)
        #expect(report["sampler"] as? String == "analytic" && report["precision"] as? String == "float32")
        #expect(report["judge"] as? String == (try await judge()))
        let (tokens, texts) = (report["perplexity_of_tokens"] as? Double, report["perplexity_of_texts"] as? Double)
        #expect(try #require(tokens) > 1 && #require(texts) > 1)
        let mauve = try #require(report["mauve"] as? [String: Any])
        let score = try #require(mauve["score"] as? Double)
        #expect(score > 0 && score <= 1 && mauve["seeds"] as? Int == 3 && mauve["buckets"] as? Int == 2)
        #expect(report["reference_count"] as? Int == 24)

        // The judge's training text is nearer and more probable than samples of a small model.
        let lines = try folder.file("real.txt", TinyRun.text)
        let own = try await SeddProcess.run(["judge", "--model", judge(), "--samples", lines.path, "--json"])
        let real = try #require(objects(own.text).first, "\(own.errors)")
        #expect(try #require(real["perplexity_of_tokens"] as? Double) < #require(tokens))
        let shown = try await SeddProcess.run(["judge", "--model", judge(), "--samples", samples.path])
        for word in [
            "generative perplexity", "over tokens", "over texts", "entropy", "distinct", "repetition", "8 steps",
        ] {
            #expect(shown.text.contains(word), "\(shown.text)")
        }
    }

    @Test func mistakes() async throws {
        let folder = try TemporaryFolder()
        let judge = try await judge()
        let few = try folder.file("few.txt", "one\ntwo\n").path
        let bad = try folder.file("bad.jsonl", "{\"txt\":1}\n").path
        let empty = try folder.file("empty.jsonl", "\n").path
        let rows = try folder.file("rows.jsonl", "{\"text\":\"one\"}\n").path
        let table: [(String, Int32, [String], [String])] = [
            ("no samples", 66, ["--model", judge, "--samples", few + "x"], ["no such file"]),
            ("no text field", 65, ["--model", judge, "--samples", bad], ["line 1", "text"]),
            ("no lines", 65, ["--model", judge, "--samples", empty], ["no samples"]),
            (
                "too few for MAUVE", 64, ["--model", judge, "--samples", few, "--reference", few],
                ["too few for MAUVE", "20 or more"]
            ),
            (
                "a share of rows", 64,
                ["--model", judge, "--samples", few, "--reference", rows, "--last", "0.5"], ["--last", "has rows"]
            ),
            (
                "a diffusion model as judge", 64,
                ["--model", try await TinyRun.model().path, "--samples", few], ["autoregressive"]
            ),
            ("unknown corpus", 64, ["--model", judge, "--samples", few, "--reference", "lm2b:x"], ["lm1b:"]),
            ("no seeds", 64, ["--model", judge, "--samples", few, "--seeds", "0"], ["--seeds"]),
        ]
        for (name, code, arguments, words) in table {
            expectFailure(try await SeddProcess.run(["judge"] + arguments), code, words, name)
        }
    }
}
