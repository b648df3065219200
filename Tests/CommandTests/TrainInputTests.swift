import Foundation
import Testing

/// Configurations and data that training refuses before it creates anything.
@Suite struct TrainInputTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func refuses(
        _ arguments: [String], _ code: Int32, _ words: [String], _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let result = try await SeddProcess.run(arguments)
        expectFailure(result, code, words, what, progress: true, sourceLocation: sourceLocation)
        #expect(
            !exists(folder.url.appendingPathComponent("run")), "\(what): nothing is started",
            sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        ("unknown key", "training: {n_itres: 5}", ["'training.n_itres' is unknown", "'training.n_iters'"]),
        ("a text for a number", "training: {n_iters: many}", ["training.n_iters", "wrong type", "whole number"]),
        ("a value for a section", "training: 5", ["training", "wrong type", "a mapping"]),
        ("unknown graph", "graph: {type: absorbing}", ["graph.type", "absorbing"]),
        (
            "heads that do not divide", "model: {hidden_size: 32, n_heads: 5}",
            ["model.n_heads 5", "model.hidden_size 32"]
        ),
        (
            "geometric noise upside down", "noise: {type: geometric, sigma_min: 2, sigma_max: 1}",
            ["geometric", "sigma_min", "2.0"]
        ),
        ("no YAML", "a: [", ["YAML"]),
        (
            "unknown sampler", TinyRun.configuration.replacing("{steps: 4,", with: "{method: best, steps: 4,"),
            ["sampler", "best", "analytic"]
        ),
    ])
    func configurations(name: String, yaml: String, words: [String]) async throws {
        let arguments = try TinyRun.arguments(in: folder, configuration: yaml)
        try await refuses(arguments, 65, [folder.path("tiny.yaml")] + words, name)
    }

    @Test func unknownTokenizer() async throws {
        // The tokenizer is named as on the command line, but in a file.
        let arguments = try TinyRun.arguments(in: folder, configuration: "tokenizer: words")
        let result = try await SeddProcess.run(arguments)
        #expect([64, 65].contains(result.code), "\(result.errors)")
        #expect(result.lastError.contains("words"), "\(result.errors)")
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let words: [String]
        var testDescription: String { name }
    }

    static let data: [Bad] = [
        Bad(name: "empty", bytes: [], words: ["story.txt"]),
        Bad(name: "shorter than a block", bytes: Array("hello".utf8), words: ["story.txt", "5 tokens", "block of 16"]),
        Bad(
            name: "no UTF-8", bytes: Array(String(repeating: "good text. ", count: 50).utf8) + [0xFF, 10],
            words: ["story.txt", "UTF-8", "byte 550"]),
        Bad(
            name: "half a character at the end", bytes: Array(repeating: 97, count: 100) + [0xF0, 0x9F],
            words: ["story.txt", "UTF-8", "byte 100"]),
    ]

    @Test(arguments: data)
    func badData(bad: Bad) async throws {
        let arguments = try TinyRun.arguments(in: folder, set: ["data.held_out=0"])
        try folder.file("story.txt", Data(bad.bytes))
        try await refuses(arguments, 65, bad.words, bad.name)
    }

    @Test func missingData() async throws {
        let arguments = try TinyRun.arguments(in: folder)
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("story.txt"))
        try await refuses(arguments, 66, [folder.path("story.txt")], "no data")
        try FileManager.default.createDirectory(atPath: folder.path("story.txt"), withIntermediateDirectories: false)
        try await refuses(arguments, 66, [folder.path("story.txt"), "file"], "a folder for data")
    }

    @Test func missingConfiguration() async throws {
        let path = folder.path("absent.yaml")
        let result = try await SeddProcess.run(
            ["train", "--config", path, "--data", path, "--output", folder.path("run")])
        expectFailure(result, 66, [path, "preset"], "no configuration")
    }

    @Test func outputs() async throws {
        let used = try await TinyRun.shared().path
        let again = try Array(TinyRun.arguments(in: folder).dropLast()) + [used]
        let before = try String(contentsOfFile: used + "/metrics.jsonl", encoding: .utf8)
        try await refuses(again, 64, [used, "--resume"], "a folder that holds a run")
        #expect(try String(contentsOfFile: used + "/metrics.jsonl", encoding: .utf8) == before)

        try await refuses(
            ["train", "--resume", "--output", folder.path("run")], 66, [folder.path("run"), "run.yaml"],
            "nothing to resume")
        for name in ["metrics.jsonl", "curve.svg", "samples", "checkpoints"] {
            let other = folder.url.appendingPathComponent("with-\(name)")
            try FileManager.default.createDirectory(at: other, withIntermediateDirectories: false)
            try Data("mine".utf8).write(to: other.appendingPathComponent(name))
            let into = try Array(TinyRun.arguments(in: folder).dropLast()) + [other.path]
            try await refuses(into, 64, [other.path, name, "no run.yaml"], "a folder with a \(name) of another")
            #expect(try String(contentsOf: other.appendingPathComponent(name), encoding: .utf8) == "mine")
        }
        let obstacle = try folder.file("obstacle", "").path
        let below = try Array(TinyRun.arguments(in: folder).dropLast()) + [obstacle + "/run"]
        try await refuses(below, 73, [obstacle], "an output below a plain file")
    }
}
