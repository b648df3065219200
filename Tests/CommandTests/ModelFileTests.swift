import Foundation
import Testing

/// Malformed model folders.
@Suite struct ModelFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A model as another program would save it: without checksums.
    private func unsigned(_ model: URL) throws -> URL {
        try FileManager.default.removeItem(at: model.appendingPathComponent("manifest.json"))
        return model
    }

    private func sample(_ model: URL, _ options: [String] = []) async throws -> SeddProcess.Result {
        try await SeddProcess.run(["sample", "--model", model.path, "--seed", "1", "--steps", "2"] + options)
    }

    @Test func missingFiles() async throws {
        let absent = folder.url.appendingPathComponent("absent")
        expectFailure(try await sample(absent), 66, [absent.path, "no such folder"], "no folder")
        let empty = try folder.file("empty/readme.txt", "").deletingLastPathComponent()
        expectFailure(try await sample(empty), 66, [empty.path, "config.json"], "no configuration")
        let model = try await TinyRun.model(in: folder)
        try FileManager.default.removeItem(at: model.appendingPathComponent("model.safetensors"))
        expectFailure(
            try await sample(model), 65, [model.path, "model.safetensors", "missing", "manifest.json"],
            "weights are gone")
        try FileManager.default.removeItem(at: model.appendingPathComponent("manifest.json"))
        expectFailure(try await sample(model), 66, [model.path, "model.safetensors"], "no weights")
        let file = try folder.file("plain.txt", "text")
        expectFailure(try await sample(file), 65, [file.path, "not a known kind of weight file"], "a text")
    }

    struct Change: Sendable, CustomTestStringConvertible {
        let name: String
        let old: String
        let new: String
        let words: [String]
        var testDescription: String { name }
    }

    static let changes: [Change] = [
        Change(name: "unknown graph", old: "\"absorb\"", new: "\"absorbing\"", words: ["graph.type", "absorbing"]),
        Change(name: "heads", old: "\"n_heads\" : 2", new: "\"n_heads\" : 5", words: ["model.n_heads", "5", "32"]),
        Change(
            name: "text for a number", old: "\"n_blocks\" : 1", new: "\"n_blocks\" : \"1\"", words: ["model.n_blocks"]),
        Change(name: "missing key", old: "\"n_blocks\"", new: "\"blocks\"", words: ["model.n_blocks", "missing"]),
        Change(
            name: "more weights than an Int counts", old: "\"hidden_size\" : 32", new: "\"hidden_size\" : 1073741824",
            words: []),
        Change(name: "unknown tokenizer", old: "\"byte\"", new: "\"words\"", words: ["words"]),
    ]

    @Test(arguments: changes)
    func configuration(change: Change) async throws {
        let model = try await TinyRun.model(in: folder, replacing: [(change.old, change.new)])
        expectFailure(try await sample(model), 65, [model.path] + change.words, change.name)
    }

    @Test(arguments: [
        ("nothing", ""), ("half", "{\"tokens\": 25"),
    ])
    func configurationThatIsNoObject(name: String, text: String) async throws {
        let model = try await unsigned(TinyRun.model(in: folder))
        try Data(text.utf8).write(to: model.appendingPathComponent("config.json"))
        expectFailure(try await sample(model), 65, [model.path + "/config.json"], name)
    }

    @Test func weightsOfAnotherShape() async throws {
        let model = try await TinyRun.model(in: folder, replacing: [("\"cond_dim\" : 16", "\"cond_dim\" : 24")])
        let result = try await sample(model)
        expectFailure(result, 65, [model.path, "expected [24, 256], found [16, 256]", "more"], "another shape")
        #expect(result.errors.components(separatedBy: ": expected").count == 6, "the first five: \(result.errors)")
    }

    @Test func weightsOfOtherNames() async throws {
        let model = try await unsigned(TinyRun.model(in: folder))
        let file = model.appendingPathComponent("model.safetensors")
        let renamed = try PlainSafetensors.read(file).values.sorted { $0.name < $1.name }.map { entry in
            PlainSafetensors.Entry(
                name: "net." + entry.name, dtype: entry.dtype, shape: entry.shape, bytes: entry.bytes)
        }
        try PlainSafetensors.data(renamed).write(to: file)
        let result = try await sample(model)
        expectFailure(result, 65, [file.path, "vocab_embed", "found none", "more"], "other names")
        #expect(result.errors.components(separatedBy: ": expected").count == 6, "the first five: \(result.errors)")

        // Additional tensors are reported as well.
        let more = [PlainSafetensors.floats("extra.weight", [1], [1])]
        let good = try await TinyRun.model().appendingPathComponent("model.safetensors")
        try PlainSafetensors.data(Array(PlainSafetensors.read(good).values) + more).write(to: file)
        expectFailure(try await sample(model), 65, ["extra.weight", "expected none"], "one more")
    }

    @Test(arguments: [0, 5000])
    func truncatedWeights(length: Int) async throws {
        let model = try await unsigned(TinyRun.model(in: folder))
        let file = model.appendingPathComponent("model.safetensors")
        try Data(Data(contentsOf: file).prefix(length)).write(to: file)
        expectFailure(try await sample(model), 65, [file.path], "cut to \(length) bytes")
    }

    // The classic attack: a pickle that runs a command when loaded.
    @Test(arguments: [
        ("os.system", "cos\nsystem\n"), ("by stack", "\u{8C}\u{02}os\u{8C}\u{06}system\u{93}"),
    ])
    func pickleThatRunsACommand(name: String, callable: String) async throws {
        let touched = folder.url.appendingPathComponent("touched")
        let command = "touch \(touched.path)"
        let latin = callable.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        let length = UInt32(command.utf8.count)
        let pickle: [UInt8] =
            [0x80, 2] + latin + [UInt8(ascii: "X")] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
            + Array(command.utf8) + [0x85, UInt8(ascii: "R"), UInt8(ascii: ".")]
        let model = try await unsigned(TinyRun.model(in: folder))
        try FileManager.default.removeItem(at: model.appendingPathComponent("model.safetensors"))
        let file = model.appendingPathComponent("pytorch_model.bin")
        try PlainZip.checkpoint(pickle: pickle).write(to: file)
        expectFailure(try await sample(model), 65, [file.path, "nothing is executed"], name)
        let converted = try await SeddProcess.run(["convert", "--from", file.path, "--to", folder.path("out")])
        expectFailure(converted, 65, [file.path], name)
        #expect(!exists(touched), "the command was run")
        #expect(!exists(folder.url.appendingPathComponent("out")))
    }

    @Test(
        arguments: [
            ("empty", []), ("a number", [0x80, 2, 75, 1, 46]), ("list in itself", [93, 113, 0, 104, 0, 97, 46]),
        ] as [(String, [UInt8])])
    func picklesThatAreNone(name: String, pickle: [UInt8]) async throws {
        let model = try await unsigned(TinyRun.model(in: folder))
        try FileManager.default.removeItem(at: model.appendingPathComponent("model.safetensors"))
        let file = model.appendingPathComponent("pytorch_model.bin")
        try PlainZip.checkpoint(pickle: pickle).write(to: file)
        expectFailure(try await sample(model), 65, [file.path], name)
    }

    @Test func tokenizers() async throws {
        let model = try await TinyRun.model(in: folder, replacing: [("\"tokenizer\" : \"byte\"", "\"ignored\" : 1")])
        expectFailure(try await sample(model), 66, [model.path, "--tokenizer"], "no tokenizer")
        let named = try await sample(model, ["--tokenizer", "byte", "--length", "4"])
        #expect(named.code == 0, "\(named.errors)")
        let alphabet = try folder.file("alphabet.txt", "abc").path
        let other = try await sample(model, ["--tokenizer", "characters:\(alphabet)"])
        expectFailure(other, 65, ["3 tokens", "256"], "a tokenizer of another size")
    }

    // Every command that loads one of our folders verifies its checksums first.
    @Test func flippedBytes() async throws {
        let model = try await TinyRun.model(in: folder)
        for name in ["model.safetensors", "config.json"] {
            let file = model.appendingPathComponent(name)
            let whole = try Data(contentsOf: file)
            var changed = whole
            // The last bit of the last number; a space for the line's end.
            changed[changed.count - 1] ^= name == "config.json" ? 0 : 1
            if name == "config.json" { changed.append(UInt8(ascii: " ")) }
            try changed.write(to: file)
            let text = try folder.file(
                "text.txt", "some text that is long enough to fill a block of sixteen tokens or two")
            let states = try folder.file("states.safetensors", PlainSafetensors.data([]))
            for command in [
                ["sample", "--model", model.path], ["evaluate", "--model", model.path, "--data", text.path],
                ["inspect", "--model", model.path, "--input", states.path, "--output", folder.path("out.safetensors")],
                ["convert", "--from", model.path, "--to", folder.path("copy")],
                ["judge", "--model", model.path, "--samples", text.path], ["serve", "--model", model.path],
            ] {
                let result = try await SeddProcess.run(command)
                expectFailure(result, 65, [file.path, "checksum", "manifest.json"], "\(command[0]), \(name)")
            }
            try whole.write(to: file)
        }
        #expect(try await sample(model).code == 0, "as it was, it is read again")
        // Another program's file of that name is ignored.
        try Data("{\"name\": \"an application\"}".utf8).write(to: model.appendingPathComponent("manifest.json"))
        #expect(try await sample(model).code == 0)
    }

    @Test func weightsByAnyName() async throws {
        let model = try await unsigned(TinyRun.model(in: folder))
        try FileManager.default.moveItem(
            at: model.appendingPathComponent("model.safetensors"), to: model.appendingPathComponent("model.pth"))
        let expected = try await sample(TinyRun.model())
        let found = try await sample(model)
        #expect(found.code == 0 && found.text == expected.text, "\(found.errors)")
        let file = try await SeddProcess.run(
            ["sample", "--model", model.path + "/model.pth", "--seed", "1", "--steps", "2"])
        #expect(file.code == 0 && file.text == expected.text, "a file instead of its folder: \(file.errors)")
        try Data().write(to: model.appendingPathComponent("other.bin"))
        expectFailure(try await sample(model), 64, [model.path, "model.pth, other.bin"], "several")
    }

    // A nanoGPT checkpoint whose vocabulary of ten is padded beyond eight characters, without conversion.
    @Test func paddedVocabularyOfANanoGPTCheckpoint() async throws {
        let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("SEDDTests/Golden/nanogpt-tied.pt").path
        let alphabet = try folder.file("alphabet.txt", "abcdefgh").path
        let text = try folder.file("text.txt", String(repeating: "abcdefghhgfedcba", count: 8)).path
        let options = ["--model", checkpoint, "--tokenizer", "characters:\(alphabet)"]
        for command in [["evaluate", "--data", text, "--json"], ["judge", "--samples", text, "--json"]] {
            let result = try await SeddProcess.run(command + options)
            #expect(result.code == 0, "\(command[0]): \(result.errors)")
            #expect(result.errors.contains("10 tokens, the tokenizer 8;"), "\(result.errors)")
            #expect(result.errors.contains("nanoGPT"), "\(result.errors)")
            #expect(try objects(result.text).count == 1)
        }
        let sampled = try await SeddProcess.run(
            ["sample", "--jsonl", "--count", "64", "--seed", "1", "--template", "ab[[*]]"] + options)
        #expect(sampled.code == 0 && sampled.errors.contains("10 tokens, the tokenizer 8;"), "\(sampled.errors)")
        let tokens = try objects(sampled.text).flatMap { $0["tokens"] as? [Int] ?? [] }
        #expect(tokens.count > 64 && tokens.allSatisfy { (0..<8).contains($0) })
        let more = try folder.file("more.txt", "abcdefghijk").path
        let refused = try await SeddProcess.run(
            ["evaluate", "--data", text, "--model", checkpoint, "--tokenizer", "characters:\(more)"])
        #expect(refused.code == 65 && refused.errors.contains("11 tokens"), "\(refused.errors)")
    }
}
