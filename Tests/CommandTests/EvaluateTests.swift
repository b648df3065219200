import Foundation
import Testing

/// `sedd evaluate`, for people and for programs.
@Suite struct EvaluateTests {
    private static let row = "the cat sees the red ball .\n"

    @Test func severalDataSetsAsJSON() async throws {
        let folder = try TemporaryFolder()
        let plain = try folder.file("a.txt", TinyRun.text)
        let rows = try folder.file("b.txt", String(repeating: Self.row, count: 20))
        let result = try await SeddProcess.run([
            "evaluate", "--model", TinyRun.model().path, "--data", plain.path, "lm1b:\(rows.path)", "--blocks", "30",
            "--time-samples", "4", "--seed", "3", "--json",
        ])
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.errors.contains("block 30/30") || result.errors.contains("nats/token"), "\(result.errors)")
        let lines = try objects(result.text)
        #expect(lines.count == 2)
        for line in lines {
            let nats = try #require(line["nats_per_token"] as? Double)
            let terms = try #require(line["terms"] as? [String: Double])
            #expect(Set(terms.keys) == ["diffusion", "prior", "reconstruction"])
            #expect(abs(terms.values.reduce(0, +) - nats) < 1e-9)
            #expect(abs(try #require(line["perplexity"] as? Double) - exp(nats)) < 1e-6 * exp(nats))
            #expect(abs(try #require(line["bits_per_byte"] as? Double) - nats / log(2)) < 1e-9)
            #expect(try #require(line["standard_error"] as? Double) > 0)
            // A trained model is well below log 256, and above 0.
            #expect(nats > 0 && nats < 5)
        }
        // The detokenizer has removed the space before each full stop.
        #expect(lines[1]["tokens_in_data"] as? Int == 20 * (Self.row.utf8.count - 1))
        #expect(lines[1]["rows"] as? Int == 20)
    }

    @Test func theSameSeedGivesTheSameNumber() async throws {
        let folder = try TemporaryFolder()
        let data = try folder.file("a.txt", TinyRun.text)
        var found: [String] = []
        for seed in ["1", "1", "2"] {
            let result = try await SeddProcess.run([
                "evaluate", "--model", TinyRun.model().path, "--data", data.path, "--blocks", "8", "--seed", seed,
            ])
            #expect(result.code == 0, "\(result.errors)")
            found.append(result.text)
        }
        #expect(found[0] == found[1])
        #expect(found[0] != found[2])
        for word in ["nats per token", "diffusion", "prior", "reconstruction", "perplexity", "bits per byte", "<="] {
            #expect(found[0].contains(word), "\(found[0])")
        }
    }

    @Test func thePublishedConventionIsTheFirstTermAlone() async throws {
        let folder = try TemporaryFolder()
        let data = try folder.file("a.txt", TinyRun.text)
        let result = try await SeddProcess.run([
            "evaluate", "--model", TinyRun.model().path, "--data", data.path, "--blocks", "8", "--convention",
            "published",
            "--json",
        ])
        let line = try #require(objects(result.text).first, "\(result.errors)")
        #expect(line["convention"] as? String == "published")
        #expect((line["terms"] as? [String: Double])?.keys.sorted() == ["diffusion"])
        #expect(line["smallest_time"] as? Double == 1e-3)
    }

    @Test func aKilledEvaluationGoesOn() async throws {
        let folder = try TemporaryFolder()
        let data = try folder.file("a.txt", TinyRun.text)
        let model = try await TinyRun.model().path
        let arguments = [
            "evaluate", "--model", model, "--data", data.path, "--time-samples", "256", "--batch-tokens", "64",
            "--json",
        ]
        let whole = try await SeddProcess.run(arguments + ["--blocks", "40"])
        let state = folder.path("state.jsonl")
        let killed = try SeddProcess(arguments + ["--blocks", "40", "--state", state])
        try await killed.wait(
            until: {
                try exists(URL(fileURLWithPath: state)) && String(contentsOfFile: state, encoding: .utf8).contains("\n")
            }, "it never kept a block")
        killed.send(SIGKILL)
        #expect(try await killed.wait().code == 128 + SIGKILL)
        let again = try await SeddProcess.run(arguments + ["--blocks", "40", "--state", state])
        #expect(again.code == 0, "\(again.errors)")
        let (a, b) = (try #require(objects(whole.text).first), try #require(objects(again.text).first))
        #expect(a["nats_per_token"] as? Double == b["nats_per_token"] as? Double)
        #expect(a["blocks"] as? Int == 40)
    }

    /// A second signal terminates at once, with one line and without a crash.
    @Test(arguments: [SIGINT, SIGTERM]) func twoSignals(_ signal: Int32) async throws {
        let folder = try TemporaryFolder()
        let data = try folder.file("a.txt", TinyRun.text)
        let process = try await SeddProcess([
            "evaluate", "--model", TinyRun.model().path, "--data", data.path, "--time-samples", "100000",
            "--batch-tokens",
            "64", "--state", folder.path("s.jsonl"),
        ])
        try await process.wait(
            until: { exists(URL(fileURLWithPath: folder.path("s.jsonl"))) }, "it never began")
        try await Task.sleep(for: .milliseconds(200))
        process.send(signal)
        try await Task.sleep(for: .milliseconds(200))
        process.send(signal)
        let result = try await process.wait()
        #expect(result.code == 130)
        #expect(result.lastError == "sedd: interrupted")
    }

    /// Other files are left unchanged, even with an incomplete line of JSON.
    @Test func aFileOfSomethingElse() async throws {
        let folder = try TemporaryFolder()
        let data = try folder.file("a.txt", TinyRun.text)
        for text in ["{\"a\": 1, \"precious\": true}", "notes", "{"] {
            let file = try folder.file("state", text)
            let result = try await SeddProcess.run([
                "evaluate", "--model", TinyRun.model().path, "--data", data.path, "--blocks", "1", "--time-samples",
                "1",
                "--state", file.path,
            ])
            // A single opening brace may be left by a killed run.
            #expect(result.code == (text == "{" ? 0 : 65), "\(text): \(result.errors)")
            if text != "{" { #expect(try String(contentsOf: file, encoding: .utf8) == text) }
        }
    }

    @Test func mistakes() async throws {
        let folder = try TemporaryFolder()
        let model = try await TinyRun.model().path
        let data = try folder.file("a.txt", TinyRun.text).path
        let short = try folder.file("b.txt", "short").path
        let bad = try folder.file("c.jsonl", "{\"txt\": 1}\n").path
        let table: [(String, Int32, [String], [String])] = [
            ("no data", 64, ["--model", model], ["--data"]),
            ("unknown name", 64, ["--model", model, "--data", "wikitxt2:\(data)"], ["wikitxt2", "wikitext2:"]),
            ("no such file", 66, ["--model", model, "--data", "ptb:\(data).none"], ["no such file"]),
            ("shorter than a block", 65, ["--model", model, "--data", short], ["5 tokens", "block of 16"]),
            ("no text field", 65, ["--model", model, "--data", bad], ["line 1", "'text'"]),
            ("no times", 64, ["--model", model, "--data", data, "--time-samples", "0"], ["--time-samples"]),
            ("a share of 2", 64, ["--model", model, "--data", data, "--last", "2"], ["--last"]),
            ("unknown convention", 64, ["--model", model, "--data", data, "--convention", "x"], ["x"]),
            ("no model", 66, ["--model", folder.path("none"), "--data", data], ["no such folder"]),
            (
                "times of an exact likelihood", 64,
                ["--model", model, "--data", data, "--order", "confidence", "--time-samples", "3"],
                ["--time-samples", "--order"]
            ),
            (
                "a malformed state", 65, ["--model", model, "--data", data, "--blocks", "2", "--state", bad],
                ["c.jsonl", "line 1"]
            ),
        ]
        for (name, code, arguments, words) in table {
            expectFailure(try await SeddProcess.run(["evaluate"] + arguments), code, words, name)
        }
    }
}
