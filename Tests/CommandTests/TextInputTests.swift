import Foundation
import Testing

/// All commands read texts in the same way, and report once what was omitted or replaced.
@Suite struct TextInputTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let characters = TinyRun.configuration.replacingOccurrences(
        of: "tokenizer: byte", with: "tokenizer: characters"
    ).replacingOccurrences(of: "n_iters: 120", with: "n_iters: 2").replacingOccurrences(
        of: "sample_freq: 120", with: "sample_freq: 0"
    ).replacingOccurrences(of: "warmup: 10", with: "warmup: 2")

    /// Trains two steps on a file and returns the result and the run.
    private func train(
        _ data: URL, configuration: String = characters, set: [String] = []
    ) async throws -> (SeddProcess.Result, URL) {
        let run = folder.path("run-\(UUID().uuidString)")
        let config = try folder.file("config.yaml", configuration).path
        let result = try await SeddProcess.run(
            ["train", "--config", config, "--data", data.path, "--output", run] + set.flatMap { ["--set", $0] })
        return (result, URL(fileURLWithPath: run))
    }

    private func alphabet(_ run: URL) throws -> String {
        try String(
            decoding: Data(contentsOf: run.appendingPathComponent("checkpoints/step-2/characters.txt")), as: UTF8.self)
    }

    private static func json(_ text: String) -> String {
        let data = (try? JSONEncoder().encode(["text": text])) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    private static let lines = TinyRun.text.split(separator: "\n").map(String.init)

    @Test(arguments: ["jsonl", "json"]) func rowsOfJSON(ending: String) async throws {
        let rows = Self.lines.map(Self.json)
        let text = ending == "json" ? "[" + rows.joined(separator: ",\n") + "]" : rows.joined(separator: "\n")
        let data = try folder.file("rows.\(ending)", text)
        let (result, run) = try await train(data)
        #expect(result.code == 0, "\(result.errors)")
        let expected = String(String.UnicodeScalarView(Set(TinyRun.text.unicodeScalars).sorted { $0.value < $1.value }))
        #expect(try alphabet(run) == expected)
        // Rows joined by line ends are the text; the two data sets are the same tokens.
        let plain = try folder.file("plain.txt", TinyRun.text)
        let evaluated = try await SeddProcess.run([
            "evaluate", "--model", run.appendingPathComponent("checkpoints/step-2").path, "--data", data.path,
            plain.path, "--blocks", "4", "--json",
        ])
        let found = try objects(evaluated.text)
        #expect(found.count == 2, "\(evaluated.errors)")
        #expect(found[0]["nats_per_token"] as? Double == found[1]["nats_per_token"] as? Double)
        #expect(found[0]["rows"] as? Int == Self.lines.count)
    }

    @Test func byteOrderMarkAndLineEnds() async throws {
        let text = "\u{FEFF}" + TinyRun.text.replacingOccurrences(of: "\n", with: "\r\n")
        let data = try folder.file("windows.txt", text)
        let (result, run) = try await train(data)
        #expect(result.code == 0, "\(result.errors)")
        #expect(try alphabet(run).unicodeScalars.allSatisfy { $0 != "\r" && $0 != "\u{FEFF}" })
        for note in ["a byte order mark was left out", "\(Self.lines.count) line ends CR LF were read as LF"] {
            #expect(result.errors.components(separatedBy: note).count == 2, "\(note): \(result.errors)")
        }
        let model = run.appendingPathComponent("checkpoints/step-2").path
        for specification in [data.path, "ptb:\(data.path)"] {
            let evaluated = try await SeddProcess.run([
                "evaluate", "--model", model, "--data", specification, "--blocks", "4",
            ])
            #expect(evaluated.code == 0, "\(specification): \(evaluated.errors)")
        }
    }

    @Test func idsHaveNoAlphabet() async throws {
        let data = try folder.file("ids.bin", Data((0..<400).flatMap { [UInt8($0 % 50), 0] }))
        let (result, run) = try await train(data)
        expectFailure(
            result, 65, [data.path, "a .bin file holds token ids, which have no alphabet", "characters:FILE"],
            "ids without an alphabet",
            progress: true)
        #expect(!exists(run.appendingPathComponent("run.yaml")), "nothing is started")
    }

    @Test func oneIdOutsideTheVocabularyIsFoundBeforeTheFirstStep() async throws {
        var bytes = (0..<40000).map { (index: Int) -> UInt8 in index % 2 == 0 ? UInt8(index / 2 % 256) : 0 }
        bytes.replaceSubrange(1554..<1556, with: [44, 1])
        let data = try folder.file("one-bad.bin", Data(bytes))
        let (result, run) = try await train(data, configuration: TinyRun.configuration)
        expectFailure(
            result, 65, [data.path, "token 777 is 300, and the vocabulary has 256"], "an id outside", progress: true)
        #expect(!exists(run.appendingPathComponent("run.yaml")), "nothing is started")
    }

    @Test func documentsBeginWindowsWhereAsked() async throws {
        let marked = try folder.file("marked.txt", Self.lines.joined(separator: "\n<|endoftext|>\n"))
        let (result, _) = try await train(marked, set: ["data.document_starts=1"])
        #expect(result.code == 0, "\(result.errors)")
        let plain = try folder.file("plain.txt", TinyRun.text)
        let (refused, _) = try await train(plain, set: ["data.document_starts=0.5"])
        #expect(refused.code == 65 && refused.lastError.contains("data.document_starts is 0.5"), "\(refused.errors)")
        let (outside, _) = try await train(plain, set: ["data.document_starts=1.5"])
        #expect(outside.code == 64 && outside.lastError.contains("data.document_starts is 1.5"), "\(outside.errors)")
    }

    @Test func theLastShareIsWhatTrainingHeldOut() async throws {
        let files = [try folder.file("one.txt", TinyRun.text), try folder.file("two.txt", TinyRun.text + "the end.\n")]
        let model = try await TinyRun.model().path
        let result = try await SeddProcess.run(
            ["evaluate", "--model", model, "--last", "0.1", "--blocks", "2", "--json", "--data"] + files.map(\.path))
        let found = try objects(result.text)
        #expect(found.count == 1, "\(result.errors)")
        let whole = 2 * TinyRun.text.utf8.count + 9
        #expect(found.first?["tokens_in_data"] as? Int == whole / 10)
    }
}
