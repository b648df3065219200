import Foundation
import Testing

/// `sedd tokenizer train`.
@Suite struct TokenizerTrainTests {
    private let folder: TemporaryFolder
    private let text: String

    init() throws {
        folder = try TemporaryFolder()
        text = try folder.file("story.txt", TinyRun.text).path
    }

    private func arguments(_ more: [String] = []) -> [String] {
        ["tokenizer", "train", "--data", text, "--size", "320", "--output", folder.path("made")] + more
    }

    @Test func makesATokenizer() async throws {
        let made = try await SeddProcess.run(arguments(["--special", "<|endoftext|>"]))
        #expect(made.code == 0, "\(made.errors)")
        #expect(made.text.hasSuffix("made: 320 tokens, 63 merges\n"), "\(made.text)")
        #expect(
            try contents(folder.url.appendingPathComponent("made")) == ["merges.txt", "tokenizer.json", "vocab.json"])
        let encoded = try await SeddProcess.run(
            ["tokenize", "--tokenizer", "gpt2:" + folder.path("made")], stdin: TinyRun.text)
        let ids = try JSONDecoder().decode([Int].self, from: encoded.output)
        #expect(ids.count < TinyRun.text.utf8.count / 2)
        #expect(!ids.contains(0), "text never encodes to the end of text")
        let decoded = try await SeddProcess.run(
            ["tokenize", "--tokenizer", "gpt2:" + folder.path("made"), "--decode"], stdin: encoded.text)
        #expect(decoded.text == TinyRun.text)
    }

    @Test func fewerPairsThanMerges() async throws {
        let file = try folder.file("short.txt", "abab abab")
        let made = try await SeddProcess.run([
            "tokenizer", "train", "--data", file.path, "--size", "5000", "--output", folder.path("small"),
        ])
        #expect(made.code == 0, "\(made.errors)")
        #expect(made.errors.contains("258 tokens, not 5000"), "\(made.errors)")
    }

    @Test func refuses() async throws {
        let small = try await SeddProcess.run(arguments(["--size", "100"]))
        #expect(small.code == 64, "\(small.errors)")
        let absent = try await SeddProcess.run(
            ["tokenizer", "train", "--data", folder.path("absent"), "--size", "300", "--output", folder.path("made")])
        expectFailure(absent, 66, [folder.path("absent")], "an absent text")
        let broken = try folder.file("broken.txt", Data([97, 0xFF, 98]))
        let invalid = try await SeddProcess.run(
            ["tokenizer", "train", "--data", broken.path, "--size", "300", "--output", folder.path("made")])
        expectFailure(invalid, 65, [broken.path, "UTF-8", "byte 1"], "a text that is not UTF-8")
        #expect(!exists(folder.url.appendingPathComponent("made")), "nothing is made")
    }

    @Test func replacesOnlyWhenForced() async throws {
        try folder.file("made/vocab.json", "{}")
        let refused = try await SeddProcess.run(arguments())
        expectFailure(refused, 73, ["vocab.json", "--force"], "a file that is there")
        #expect(try String(contentsOfFile: folder.path("made/vocab.json"), encoding: .utf8) == "{}")
        let forced = try await SeddProcess.run(arguments(["--force"]))
        #expect(forced.code == 0, "\(forced.errors)")
    }
}
