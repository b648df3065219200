import Foundation
import Testing

/// Conversion between model folders, safetensors and PyTorch files keeps all values, bit for bit.
@Suite struct ConvertTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func convert(_ from: URL, _ to: String, _ options: [String] = []) async throws -> URL {
        let target = folder.url.appendingPathComponent(to)
        let result = try await SeddProcess.run(["convert", "--from", from.path, "--to", target.path] + options)
        try #require(result.code == 0, "\(result.errors)")
        #expect(result.text.contains("weights in"), "\(result.text)")
        return target
    }

    /// Every tensor's name, shape and bytes.
    private func weights(_ folder: URL) throws -> [String: Data] {
        try PlainSafetensors.read(folder.appendingPathComponent("model.safetensors")).mapValues { entry in
            Data("\(entry.dtype) \(entry.shape) ".utf8) + entry.bytes
        }
    }

    private func numbers(_ name: String, _ folder: URL) throws -> [Float] {
        let entries = try PlainSafetensors.read(folder.appendingPathComponent("model.safetensors"))
        return try #require(entries[name]).bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: Float.self) }
        }
    }

    @Test(.enabled(if: Shared.isPresent, Shared.skipped), arguments: ["absorb", "uniform"])
    func referenceCheckpoints(name: String) async throws {
        let golden = Shared.golden(name)
        let first = try await convert(golden.appendingPathComponent("checkpoint.pth"), "first")
        let checkpoint = try await convert(first, "there/checkpoint.pth")
        let second = try await convert(checkpoint, "second")
        #expect(try weights(first) == weights(second), "folder, .pth, folder")
        let raw = try await convert(
            golden.appendingPathComponent("checkpoint.pth"), "raw", ["--weights", "raw"])
        #expect(try weights(raw).keys == weights(first).keys)
        #expect(try weights(raw) != weights(first), "the raw weights are not the average")
        // The golden folder holds the weights before the reference's single step; after it the average keeps (1 + 1) /
        // (10 + 1) of them.
        for name in try weights(golden).keys where name != "rotary_emb.inv_freq" {
            let (before, after, average) = try (numbers(name, golden), numbers(name, raw), numbers(name, first))
            let expected = zip(before, after).map { $1 + 2 / 11 * ($0 - $1) }
            try #require(expected.count == average.count)
            let differences = zip(average, expected).map { abs($0 - $1) }
            let worst = try #require(differences.indices.max { differences[$0] < differences[$1] })
            #expect(differences[worst] < 1e-6, "\(name): greatest difference \(differences[worst]) at \(worst)")
        }
    }

    @Test(.enabled(if: Shared.isPresent, Shared.skipped))
    func configurationBesideTheCheckpoint() async throws {
        let lonely = try folder.copy(
            Shared.golden("absorb").appendingPathComponent("checkpoint.pth"), as: "checkpoint.pth")
        let result = try await SeddProcess.run(["convert", "--from", lonely.path, "--to", folder.path("out")])
        expectFailure(result, 66, ["config.json", "--config"], "no configuration")
        let config = Shared.golden("absorb").appendingPathComponent("config.json").path
        _ = try await convert(lonely, "out", ["--config", config])
    }

    @Test func everyForm() async throws {
        let model = try await TinyRun.model()
        let expected = try weights(model)
        var last = model
        for form in ["plain/model.safetensors", "bin/pytorch_model.bin", "pth/checkpoint.pth", "folder"] {
            last = try await convert(last, form)
            #expect(exists(last))
        }
        #expect(try weights(last) == expected)
        // Only what was named is written; each file embeds its configuration.
        #expect(try contents(folder.url.appendingPathComponent("pth")) == ["checkpoint.pth"])
        #expect(
            try contents(folder.url.appendingPathComponent("folder")) == [
                "config.json", "manifest.json", "model.safetensors",
            ])
        // A folder with pytorch_model.bin alone is a model.
        let sampled = try await SeddProcess.run(
            ["sample", "--model", folder.path("bin"), "--tokenizer", "byte", "--steps", "2", "--seed", "1"])
        #expect(sampled.code == 0, "\(sampled.errors)")
    }

    // A model that can be sampled without --tokenizer can be sampled so after conversion.
    @Test func tokenizersGoAlong() async throws {
        let characters = try TinyRun.arguments(
            in: folder, output: "characters",
            set: ["tokenizer=characters", "training.n_iters=1", "optim.warmup=0", "training.sample_freq=0"])
        let trained = try await SeddProcess.run(characters)
        try #require(trained.code == 0, "\(trained.errors)")
        let source = folder.url.appendingPathComponent("characters/checkpoints/step-1")
        #expect(exists(source.appendingPathComponent("characters.txt")))
        let copy = try await convert(source, "copy")
        let sampled = try await SeddProcess.run(["sample", "--model", copy.path, "--steps", "2", "--seed", "1"])
        #expect(sampled.code == 0, "\(sampled.errors)")
    }

    @Test func refusals() async throws {
        let model = try await TinyRun.model()
        let absent = folder.path("absent")
        let table: [(name: String, from: String, to: String, code: Int32, words: [String])] = [
            ("no source", absent, folder.path("out"), 66, [absent]),
            (
                "a text", try folder.file("notes.txt", "text").path, folder.path("out"), 65,
                ["not a known kind of weight file"]
            ),
            ("a .ckpt", model.path, folder.path("out.ckpt"), 64, [".safetensors", ".pth"]),
            ("a target below a file", model.path, folder.path("notes.txt/out"), 73, [folder.path("notes.txt/out")]),
            ("a .pth below a file", model.path, folder.path("notes.txt/a.pth"), 73, [folder.path("notes.txt")]),
        ]
        for (name, from, to, code, words) in table {
            let result = try await SeddProcess.run(["convert", "--from", from, "--to", to])
            expectFailure(result, code, words, name)
        }
        for ending in ["pth", "bin", "safetensors"] {
            let file = folder.url.appendingPathComponent("broken/model.\(ending)")
            try folder.file("broken/config.json", Data(contentsOf: model.appendingPathComponent("config.json")))
            try folder.file("broken/model.\(ending)", "not a weight file, whatever its name says")
            let result = try await SeddProcess.run(["convert", "--from", file.path, "--to", folder.path("out")])
            expectFailure(result, 65, [file.path], "a text called .\(ending)")
        }
        #expect(!exists(folder.url.appendingPathComponent("out")))
    }

    // An existing file is not touched without --force, and its neighbours never are.
    @Test func existingTargets() async throws {
        let model = try await TinyRun.model()
        let names = ["w.safetensors", "w.bin", "w.pth", "folder/config.json"]
        for name in ["config.json", "characters.txt", "manifest.json"] + names { try folder.file(name, "mine") }
        for name in names {
            let target = name.hasPrefix("folder") ? folder.path("folder") : folder.path(name)
            let result = try await SeddProcess.run(["convert", "--from", model.path, "--to", target])
            expectFailure(result, 64, [target, "--force"], name)
            #expect(try String(contentsOfFile: folder.path(name), encoding: .utf8) == "mine")
            let forced = try await SeddProcess.run(["convert", "--from", model.path, "--to", target, "--force"])
            #expect(forced.code == 0, "\(forced.errors)")
        }
        for name in ["config.json", "characters.txt", "manifest.json"] {
            #expect(try String(contentsOfFile: folder.path(name), encoding: .utf8) == "mine", "\(name)")
        }
        #expect(
            try contents(folder.url) == [
                "characters.txt", "config.json", "folder", "manifest.json", "w.bin", "w.pth", "w.safetensors",
            ])
        // A file of a model folder would no longer match its checksum.
        let listed = folder.path("folder/model.safetensors")
        let refused = try await SeddProcess.run(["convert", "--from", model.path, "--to", listed, "--force"])
        expectFailure(refused, 64, [listed, "manifest.json"], "a file of a model folder")
        // A single file is read with its embedded configuration, not with an unrelated config.json beside it.
        _ = try await convert(folder.url.appendingPathComponent("w.bin"), "back")
        #expect(try weights(folder.url.appendingPathComponent("back")) == weights(model))
        // An empty folder holds nothing to replace.
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("empty"), withIntermediateDirectories: false)
        _ = try await convert(model, "empty")
    }

    // Paths have the system's meaning: `..` after a symbolic link is the parent of its target.
    @Test func pathsAreTheShells() async throws {
        let model = try await TinyRun.model()
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("deep/er"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: folder.url.appendingPathComponent("link"),
            withDestinationURL: folder.url.appendingPathComponent("deep/er"))
        let target = folder.path("link") + "/../w.safetensors"
        let result = try await SeddProcess.run(["convert", "--from", model.path, "--to", target])
        #expect(result.code == 0, "\(result.errors)")
        #expect(try contents(folder.url.appendingPathComponent("deep")) == ["er", "w.safetensors"])
    }

    @Test func autoregressiveModels() async throws {
        let model = try await TinyRun.sharedBaseline().appendingPathComponent("checkpoints/step-120")
        let copy = try await convert(model, "copy")
        #expect(try weights(copy) == weights(model))
        let file = try await convert(copy, "w.bin")
        let again = try await convert(file, "again")
        #expect(try weights(again) == weights(model))
        let checkpoint = try await SeddProcess.run(["convert", "--from", model.path, "--to", folder.path("x.pth")])
        expectFailure(checkpoint, 64, ["autoregressive model", "x.pth"], "as a checkpoint of the published code")
        let inspected = try await SeddProcess.run(
            ["inspect", "--model", model.path, "--input", file.path, "--output", folder.path("out.safetensors")])
        expectFailure(inspected, 64, ["autoregressive model", "expected a diffusion model"], "inspect")
    }
}
