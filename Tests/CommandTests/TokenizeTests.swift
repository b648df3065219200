import Foundation
import Testing

/// Text to ids and back through the command.
@Suite struct TokenizeTests {
    private let texts = ["Hello world", "", "größer 🐈\n\t\"quoted\" \\ /", "日本", "e\u{301}\u{0}", "  spaces  "]

    private func json(_ value: Any) throws -> String {
        String(
            decoding: try JSONSerialization.data(
                withJSONObject: value, options: [.fragmentsAllowed, .withoutEscapingSlashes]), as: UTF8.self)
    }

    @Test func linesComeBack() async throws {
        let input = try texts.map(json).joined(separator: "\n") + "\n"
        let encoded = try await SeddProcess.run(["tokenize", "--tokenizer", "byte", "--jsonl"], stdin: input)
        #expect(encoded.code == 0, "\(encoded.errors)")
        let expected = texts.map { "[" + $0.utf8.map(String.init).joined(separator: ",") + "]" }
        #expect(encoded.lines == expected)
        let decoded = try await SeddProcess.run(
            ["tokenize", "--tokenizer", "byte", "--jsonl", "--decode"], stdin: encoded.text)
        #expect(decoded.code == 0, "\(decoded.errors)")
        let found = try decoded.lines.map {
            try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed) as? String
        }
        #expect(found == texts)
    }

    @Test func aWholeTextComesBack() async throws {
        let text = texts.joined(separator: "\n")
        let encoded = try await SeddProcess.run(["tokenize", "--tokenizer", "byte"], stdin: text)
        #expect(encoded.text == "[" + text.utf8.map(String.init).joined(separator: ",") + "]\n")
        let decoded = try await SeddProcess.run(["tokenize", "--tokenizer", "byte", "--decode"], stdin: encoded.text)
        #expect(decoded.output == Data(text.utf8))
        #expect(decoded.code == 0 && decoded.errors.isEmpty, "\(decoded.errors)")
    }

    // Output that is not valid UTF-8 is still exact if bytes are requested.
    @Test func bytesThatAreNoText() async throws {
        let ids = "[255,0,128]"
        let plain = try await SeddProcess.run(["tokenize", "--tokenizer", "byte", "--decode"], stdin: ids)
        #expect(plain.output == Data([255, 0, 128]))
        let quoted = try await SeddProcess.run(["tokenize", "--tokenizer", "byte", "--decode", "--jsonl"], stdin: ids)
        expectFailure(quoted, 65, ["line 1", "UTF-8", "--jsonl"], "ids that are not text")
    }

    // An unpaired surrogate, as Python's json.dumps writes it, is treated as by other tokenizers.
    @Test func halfASurrogatePair() async throws {
        let encoded = try await SeddProcess.run(
            ["tokenize", "--tokenizer", "byte", "--jsonl"], stdin: "\"a\\ud83d b\"\n")
        #expect(encoded.text == "[97,239,191,189,32,98]\n", "\(encoded.errors)")
    }

    @Test func charactersOfAFile() async throws {
        let folder = try TemporaryFolder()
        let tokenizer = "characters:" + (try folder.file("alphabet.txt", "cab\nabc").path)
        let encoded = try await SeddProcess.run(["tokenize", "--tokenizer", tokenizer], stdin: "abc\n")
        #expect(encoded.text == "[1,2,3,0]\n")
        let outside = try await SeddProcess.run(["tokenize", "--tokenizer", tokenizer], stdin: "abd")
        expectFailure(outside, 65, ["'d'", "byte 2"], "a character outside the alphabet")
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let name: String
        var options: [String] = []
        let input: [UInt8]
        let words: [String]
        var testDescription: String { name }
    }

    static let table: [Bad] = [
        Bad(name: "invalid UTF-8", input: [97, 98, 0xFF, 99], words: ["UTF-8", "byte 2"]),
        Bad(
            name: "no JSON", options: ["--jsonl"], input: Array("\"a\"\nhello\n".utf8),
            words: ["line 2", "JSON", "expected a value"]),
        Bad(name: "another value", options: ["--jsonl"], input: Array("[1]\n".utf8), words: ["line 1", "JSON string"]),
        Bad(
            name: "a tab in a string", options: ["--jsonl"], input: Array("\"a\tb\"\n".utf8),
            words: ["line 1", "control character", "\\u0009"]),
        Bad(
            name: "invalid UTF-8 in a line", options: ["--jsonl"], input: [34, 97, 34, 10, 34, 0xFF, 34, 10],
            words: ["line 2"]),
        Bad(name: "no ids", options: ["--decode"], input: Array("hello".utf8), words: ["stdin", "JSON"]),
        Bad(name: "id out of range", options: ["--decode"], input: Array("[97,256]".utf8), words: ["256", "0..<256"]),
        Bad(
            name: "huge id", options: ["--decode"], input: Array("[99999999999999999999]".utf8), words: ["JSON array"]),
        Bad(
            name: "id out of range in a line", options: ["--decode", "--jsonl"], input: Array("[300]\n".utf8),
            words: ["line 1", "300"]),
    ]

    @Test(arguments: table)
    func badInput(bad: Bad) async throws {
        let process = try SeddProcess(["tokenize", "--tokenizer", "byte"] + bad.options, stdin: Data(bad.input))
        let result = try await process.wait()
        #expect(result.code == 65, "\(bad.name): \(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(bad.name): \(result.errors)")
        for word in bad.words { #expect(result.errors.contains(word), "\(bad.name): \(result.errors)") }
    }

    @Test func missingFiles() async throws {
        let folder = try TemporaryFolder()
        for kind in ["characters", "gpt2"] {
            let path = folder.path("absent")
            let result = try await SeddProcess.run(["tokenize", "--tokenizer", "\(kind):\(path)"])
            expectFailure(result, 66, [path], kind)
        }
    }

    #if os(Linux)
        @Test func fullOutput() async throws {
            let result = try await SeddProcess.run(
                ["tokenize", "--tokenizer", "byte"], stdin: "hello", shell: "exec \"$@\" >/dev/full")
            expectFailure(result, 73, ["space"], "stdout on a full disk")
        }
    #endif
}
