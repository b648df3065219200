import Foundation
import Testing

/// `sedd sample` on the small model, and its errors.
@Suite struct SampleTests {
    private let folder: TemporaryFolder
    private let model: String

    init() async throws {
        folder = try TemporaryFolder()
        model = try await TinyRun.model().path
    }

    private func sample(_ options: String...) async throws -> SeddProcess.Result {
        try await SeddProcess.run(["sample", "--model", model] + options)
    }

    private func objects(_ options: String...) async throws -> [[String: Any]] {
        let result = try await SeddProcess.run(["sample", "--model", model, "--jsonl"] + options)
        try #require(result.code == 0, "\(result.errors)")
        return try CommandTests.objects(result.text)
    }

    @Test(arguments: ["analytic", "euler"])
    func linesHaveTheirKeys(sampler: String) async throws {
        let lines = try await objects("--count", "3", "--seed", "40", "--steps", "4", "--sampler", sampler)
        try #require(lines.count == 3)
        for (index, line) in lines.enumerated() {
            let keys: Set = ["text", "tokens", "seed", "steps", "sampler", "networkEvaluations", "seconds"]
            #expect(Set(line.keys) == keys)
            let tokens = try #require(line["tokens"] as? [Int])
            #expect(tokens.count == 16 && tokens.allSatisfy { (0..<256).contains($0) }, "\(tokens)")
            #expect(line["text"] as? String == String(decoding: tokens.map { UInt8($0) }, as: UTF8.self))
            #expect(line["seed"] as? Int == 40 + index)
            #expect(line["steps"] as? Int == 4)
            #expect(line["sampler"] as? String == sampler)
            #expect((1...5).contains(line["networkEvaluations"] as? Int ?? 0), "\(line)")
            #expect(line["seconds"] as? Double ?? -1 > 0)
        }
    }

    /// Every sampler with its own settings, and how they are recorded.
    @Test(
        arguments: [
            (["--sampler", "entropy-bound", "--gamma", "0.3"], ["gamma": 0.3], "entropy-bound"),
            (["--sampler", "remask", "--strategy=loop", "--eta=4"], ["eta": 4.0], "remask"),
            (["--sampler", "trapezoidal", "--theta", "0.4", "--grid", "cosine"], ["theta": 0.4], "trapezoidal"),
            (["--sampler", "first-hitting", "--temperature", "0.8"], ["temperature": 0.8], "first-hitting"),
            (
                ["--sampler", "confidence", "--positions", "4", "--top-p", "0.9"], ["topP": 0.9, "positions": 4],
                "confidence"
            ),
            (["--sampler", "left-to-right", "--top-k", "3"], ["topK": 3], "left-to-right"),
            (["--corrector", "1"], ["corrector": 1], "analytic"),
        ] as [([String], [String: Double], String)])
    func settingsOfSamplers(_ options: [String], _ expected: [String: Double], _ name: String) async throws {
        let arguments = ["sample", "--model", model, "--jsonl", "--seed", "4", "--steps", "4"] + options
        let result = try await SeddProcess.run(arguments)
        try #require(result.code == 0, "\(result.errors)")
        let line = try #require(try CommandTests.objects(result.text).first)
        #expect(line["sampler"] as? String == name)
        let ignoresSteps = ["first-hitting", "entropy-bound"].contains(name)
        #expect(result.errors.contains("--steps and --grid are ignored") == ignoresSteps, "\(result.errors)")
        for (key, value) in expected { #expect(line[key] as? Double == value, "\(key) of \(line)") }
    }

    @Test func gridsFromFiles() async throws {
        let file = try folder.file("times.json", "[1, 0.7, 0.2, 0]").path
        let line = try #require(try await objects("--seed", "1", "--grid", file).first)
        #expect(line["steps"] as? Int == 2 && line["grid"] as? [Double] == [1, 0.7, 0.2, 0])
        for (content, words) in [("[1, 2]", "fall from 1"), ("{}", "JSON array"), ("[]", "JSON array")] {
            let bad = try folder.file("bad.json", content).path
            let result = try await sample("--grid", bad)
            #expect(result.code == 64 || result.code == 65)
            #expect(result.errors.contains(words), "\(result.errors)")
        }
        #expect(try await sample("--grid", "nowhere.json").code == 66)
        #expect(try await sample("--grid", "/dev/zero").errors.contains("more than 67108864 bytes"))
        #expect(try await sample("--grid", "profile").errors.contains("sedd profile"))
    }

    @Test(
        arguments: [
            (["--gamma", "1"], "gamma is a setting of entropy-bound"), (["--gama", "1"], "did you mean --gamma?"),
            (["--ignore-eos", "1"], "unknown option '--ignore-eos'; see"),
            (["--sampler", "entropy-bound", "--gamma", "x"], "--gamma is x; expected a number"),
            (["--sampler", "remask", "--strategy"], "--strategy has no value"), (["--steps", "0"], "--steps is 0"),
            (["words"], "unexpected argument"), (["--sampler", "heun"], "expected one of analytic"),
            (["--top-p", "3"], "top-p is 3"), (["--length", "9000000000000000000"], "expected 1 to"),
        ] as [([String], String)])
    func invalidSettings(_ options: [String], _ words: String) async throws {
        let result = try await SeddProcess.run(["sample", "--model", model] + options)
        #expect(result.code == 64, "\(result.errors)")
        #expect(result.errors.contains(words), "\(result.errors)")
    }

    @Test func seedsAloneDecide() async throws {
        func tokens(_ options: String...) async throws -> [[Int]] {
            let arguments = ["sample", "--model", model, "--jsonl", "--seed", "7", "--steps", "6", "--count", "4"]
            let result = try await SeddProcess.run(arguments + options)
            try #require(result.code == 0, "\(result.errors)")
            return try CommandTests.objects(result.text).map { try #require($0["tokens"] as? [Int]) }
        }
        let alone = try await tokens("--batch", "1")
        #expect(try await tokens("--batch", "3") == alone, "a sample does not depend on its batch")
        #expect(try await tokens("--batch", "1000000", "--count", "1000").prefix(4) == alone[...])
        let greedy = try await tokens("--temperature", "1e-30")
        #expect(try await tokens("--temperature", "1e-320") == greedy, "colder is not different")
        #expect(Set(alone).count == 4, "seeds differ")
        let later = try await objects("--seed", "9", "--steps", "6")
        #expect(try #require(later.first)["tokens"] as? [Int] == alone[2], "seeds count up")
    }

    @Test func templatesAreKept() async throws {
        for line in try await objects("--count", "4", "--seed", "1", "--steps", "4", "--template", "the [[*]] sea.") {
            let text = try #require(line["text"] as? String)
            #expect(text.hasPrefix("the ") && text.hasSuffix(" sea."), "\(text)")
            #expect((line["tokens"] as? [Int])?.count == 16)
        }
        let literal = try #require(try await objects("--steps", "2", "--template", "\\[[3]] [[3]]").first)
        #expect((literal["text"] as? String)?.hasPrefix("[[3]] ") == true, "\(literal)")
        #expect((literal["tokens"] as? [Int])?.count == 9, "a template with holes has its own length")
    }

    @Test func templateTokensAreKept() async throws {
        let template: [Int?] = [nil, 65, nil, nil, 0, nil, 255, 66, nil, nil]
        let file = try folder.file("template.json", JSONEncoder().encode(template)).path
        for line in try await objects("--count", "3", "--seed", "5", "--steps", "3", "--template-tokens", file) {
            let tokens = try #require(line["tokens"] as? [Int])
            try #require(tokens.count == template.count)
            for (token, fixed) in zip(tokens, template) where fixed != nil { #expect(token == fixed) }
        }
        let full = try folder.file("full.json", "[104,105]").path
        let fixed = try #require(try await objects("--steps", "3", "--template-tokens", full).first)
        #expect(fixed["text"] as? String == "hi", "nothing is left to write")
    }

    @Test func plainOutput() async throws {
        let one = try await sample("--seed", "3", "--steps", "2", "--template", "ab[[2]]cd")
        #expect(one.code == 0, "\(one.errors)")
        #expect(one.errors.isEmpty, "a seed that was given is not told: \(one.errors)")
        #expect(one.text.hasPrefix("ab") && one.text.hasSuffix("cd\n"), "\(one.text)")
        let drawn = try await sample("--steps", "2", "--show", "--length", "8")
        #expect(drawn.code == 0, "\(drawn.errors)")
        #expect(drawn.errors.hasPrefix("seed "), "a seed that was drawn is told: \(drawn.errors)")
        #expect(drawn.errors.contains("8 of 8 positions settled"), "\(drawn.errors)")
        #expect(!drawn.errors.contains("\u{1B}"), "no escape codes where there is no terminal")
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let name: String
        let options: [String]
        let code: Int32
        let words: [String]
        var testDescription: String { name }
    }

    static let table: [Bad] = [
        Bad(
            name: "template longer than the length", options: ["--template", "hello[[9]]", "--length", "8"], code: 64,
            words: ["14 tokens", "length of 8"]),
        Bad(
            name: "incomplete hole", options: ["--template", "a [[12"], code: 64,
            words: ["[[12", "does not begin a hole"]),
        Bad(
            name: "holes beyond all memory",
            options: ["--length", "64", "--template", String(repeating: "[[16777216]]", count: 200)], code: 64,
            words: ["3355443200 tokens", "1048576"]),
        Bad(name: "hole of a word", options: ["--template", "a [[x]]"], code: 64, words: ["[[x]]"]),
    ]

    @Test(arguments: table)
    func isRefused(bad: Bad) async throws {
        let result = try await SeddProcess.run(["sample", "--model", model] + bad.options)
        expectFailure(result, bad.code, bad.words, bad.name)
    }

    @Test(
        arguments: [
            ("no JSON", "1, 2, 3", 65, ["JSON array"]), ("fractions", "[1.5]", 65, ["JSON array"]),
            ("out of vocabulary", "[null, 256]", 64, ["256"]), ("negative", "[-1, null]", 64, ["-1"]),
            ("empty", "[]", 64, ["empty"]),
        ] as [(String, String, Int32, [String])])
    func templateTokens(name: String, text: String, code: Int32, words: [String]) async throws {
        let file = try folder.file("template.json", text).path
        expectFailure(try await sample("--steps", "2", "--template-tokens", file, "--seed", "1"), code, words, name)
    }

    @Test func templateTokensOfAnotherLength() async throws {
        let file = try folder.file("template.json", "[null,null]").path
        let result = try await sample("--template-tokens", file, "--length", "3")
        expectFailure(result, 64, [file, "2 entries", "--length is 3"], "another length")
        let many = try folder.file("many.json", "[null" + String(repeating: ",null", count: 1_000_000) + "]").path
        expectFailure(
            try await sample("--template-tokens", many), 64, [many, "1000001 entries", "at most 1000000"], "too many")
        expectFailure(try await sample("--template-tokens", folder.path("no")), 66, [folder.path("no")], "no file")
    }
}
