import Foundation
import Testing

/// Usage errors: exit code 64 and one line; help: exit code 0.
@Suite struct UsageTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let name: String
        let arguments: [String]
        let words: [String]
        var testDescription: String { name }
    }

    static let table: [Mistake] = [
        Mistake(
            name: "clusterings of nothing", arguments: ["judge", "--model", "x", "--samples", "y", "--seeds", "3"],
            words: ["--seeds", "--reference"]),
        Mistake(name: "no subcommand", arguments: [], words: []),
        Mistake(name: "unknown option", arguments: ["sample", "--model", "x", "--modle", "y"], words: ["--modle"]),
        Mistake(name: "no model", arguments: ["sample"], words: ["--model"]),
        Mistake(
            name: "not a number", arguments: ["sample", "--model", "x", "--count", "many"], words: ["many", "--count"]),
        Mistake(
            name: "a negative count", arguments: ["sample", "--model", "x", "--count", "-3"], words: ["--count is -3"]),
        Mistake(
            name: "a negative temperature", arguments: ["sample", "--model", "x", "--temperature", "-0.5"],
            words: ["temperature is -0.5"]),
        Mistake(
            name: "a sampler that begins with a dash", arguments: ["sample", "--model", "x", "--sampler", "-best"],
            words: ["-best", "analytic"]),
        Mistake(
            name: "a value of dashes and blanks",
            arguments: ["evaluate", "--model", "x", "--data", "x", "--convention", "- a b"], words: ["- a b"]),
        Mistake(
            name: "a seed of 65 bits", arguments: ["sample", "--model", "x", "--seed", "-9223372036854775809"],
            words: ["--seed", "-9223372036854775809"]),
        Mistake(
            name: "two templates", arguments: ["sample", "--model", "x", "--template", "a", "--template-tokens", "b"],
            words: ["--template-tokens"]),
        Mistake(
            name: "unknown sampler", arguments: ["sample", "--model", "x", "--sampler", "best"],
            words: ["best", "analytic", "euler"]),
        Mistake(name: "unknown device", arguments: ["bench", "--device", "gpu"], words: ["gpu", "cpu"]),
        Mistake(
            name: "unknown precision", arguments: ["bench", "--precision", "half"], words: ["half", "bf16", "float32"]),
        Mistake(
            name: "bf16 on the CPU", arguments: ["bench", "--precision", "bf16"],
            words: ["bf16", "cpu", "--device cuda"]),
        Mistake(
            name: "bf16 products without training",
            arguments: ["evaluate", "--model", "x", "--data", "y", "--precision", "bf16-products"],
            words: ["bf16-products", "training"]),
        Mistake(
            name: "a study in the precision of another device",
            arguments: ["study", "--config", "tiny-cpu", "--output", "x", "--precision", "bf16"],
            words: ["bf16", "cpu", "--device cuda"]),
        Mistake(
            name: "prompted texts beside a budget",
            arguments: ["study", "--config", "x", "--output", "x", "--budget", "9", "--prompt-count", "50"],
            words: ["--budget", "--prompt-count"]),
        Mistake(
            name: "no budget", arguments: ["study", "--config", "tiny-cpu", "--output", "x", "--budget", "0"],
            words: ["--budget"]),
        Mistake(
            name: "too few texts", arguments: ["study", "--config", "tiny-cpu", "--output", "x", "--count", "5"],
            words: ["--count", "20"]),
        Mistake(
            name: "too many texts",
            arguments: ["study", "--config", "tiny-cpu", "--output", "x", "--count", "9223372036854775807"],
            words: ["--count is 9223372036854775807"]),
        Mistake(
            name: "a study of nothing", arguments: ["study", "--config", "tiny-cpu", "--output", "x"], words: ["--data"]
        ),
        Mistake(name: "no tokens", arguments: ["bench", "--tokens", "0"], words: ["--tokens"]),
        Mistake(name: "unknown tokenizer", arguments: ["tokenize", "--tokenizer", "words"], words: ["words", "byte"]),
        Mistake(name: "no configuration", arguments: ["train", "--output", "x"], words: ["--config", "tiny-cpu"]),
        Mistake(
            name: "no data", arguments: ["train", "--config", "tiny-cpu", "--output", "x"], words: ["--data"]),
        Mistake(
            name: "step size above 1",
            arguments: ["inspect", "--model", "x", "--input", "x", "--output", "x", "--step-size", "2"],
            words: ["--step-size", "2"]),
    ]

    @Test(arguments: table)
    func mistake(mistake: Mistake) async throws {
        expectFailure(try await SeddProcess.run(mistake.arguments), 64, mistake.words, mistake.name)
    }

    // Overrides are typed on the command line, so their errors are usage errors and say so.
    @Test(arguments: [
        ("no value", "training", ["--set", "key.path=value"]),
        ("unknown key", "training.n_itres=3", ["training.n_itres", "training.n_iters"]),
        ("a text for a number", "training.n_iters=many", ["--set", "training.n_iters"]),
        ("a number out of range", "training.n_iters=0", ["--set", "training.n_iters", "1 to"]),
    ])
    func override(name: String, override: String, words: [String]) async throws {
        let folder = try TemporaryFolder()
        let result = try await SeddProcess.run(TinyRun.arguments(in: folder, set: [override]))
        expectFailure(result, 64, words, name)
        #expect(!exists(folder.url.appendingPathComponent("run")), "nothing was started")
    }

    @Test(arguments: [
        "train", "sample", "evaluate", "judge", "study", "tokenize", "inspect", "convert", "bench", "doctor",
    ])
    func helpHasAnExample(command: String) async throws {
        let result = try await SeddProcess.run([command, "--help"])
        #expect(result.code == 0)
        #expect(result.text.contains("Example"), "\(result.text)")
        #expect(result.text.contains("sedd \(command)"), "\(result.text)")
        #expect(result.errors.isEmpty)
    }

    @Test func doctorTellsVersions() async throws {
        let result = try await SeddProcess.run(["doctor"])
        #expect(result.code == 0, "\(result.errors)")
        #expect(try result.text.contains(Regex(#"sedd \d+\.\d+\.\d+ \(libtorch \d+\.\d+"#)), "\(result.text)")
        for word in ["threads", "vector instructions", "arithmetic", "works", "cuda"] {
            #expect(result.text.contains(word), "\(result.text)")
        }
        let version = try await SeddProcess.run(["--version"])
        #expect(version.code == 0)
        #expect(result.lines.first == version.lines.first)
    }

    // From another folder, with an empty environment.
    @Test func runsFromAnyFolder() async throws {
        let result = try await SeddProcess.run(
            ["tokenize", "--tokenizer", "byte"], stdin: "ab", shell: "cd / && exec env -i \"$@\"")
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.text == "[97,98]\n")
    }
}
