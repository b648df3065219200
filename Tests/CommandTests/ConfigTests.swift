import Foundation
import Testing

/// `sedd config`: the reference of keys, and the presets.
@Suite struct ConfigTests {
    @Test func theListNamesEveryKeyOfAResolvedConfiguration() async throws {
        let list = try await SeddProcess.run(["config", "--list"])
        #expect(list.code == 0, "\(list.errors)")
        #expect(list.text.contains("training.n_iters: 2500\n    whole number. Number of training steps.\n"))
        let json = try await SeddProcess.run(["config", "--list", "--json"])
        let all = try #require(try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [[String: Any]])
        // Settings declared by sampling methods appear in a file only if given.
        let keys = all.filter { ($0["summary"] as? String)?.hasPrefix("with ") != true }
        #expect(keys.count < all.count)
        let resolved = try await SeddProcess.run(["config", "--show", "published-tiny", "--resolved"])
        #expect(resolved.code == 0, "\(resolved.errors)")
        // Each leaf of the YAML is a line `key: value`, nested ones indented.
        let leaves = resolved.text.split(separator: "\n").filter { !$0.hasSuffix(":") && $0.contains(":") }
        #expect(leaves.count == keys.count)
        for key in keys {
            let name = try #require(key["key"] as? String)
            let last = try #require(name.split(separator: ".").last)
            #expect(leaves.contains { $0.drop { $0 == " " }.hasPrefix("\(last):") }, "\(name)")
            #expect(["key", "type", "default", "summary"].allSatisfy { key[$0] is String })
        }
    }

    @Test(arguments: ["tiny-cpu", "published-tiny", "text8-small", "sedd-small", "sedd-medium"])
    func aPresetThatIsShownIsAConfiguration(_ name: String) async throws {
        let folder = try TemporaryFolder()
        let shown = try await SeddProcess.run(["config", "--show", name])
        #expect(shown.code == 0 && shown.text.hasPrefix("# "), "\(shown.errors)")
        let file = try folder.file("shown.yaml", shown.text)
        let ofPreset = try await SeddProcess.run(["config", "--show", name, "--resolved"]).text
        let ofFile = try await SeddProcess.run(["config", "--show", file.path, "--resolved"]).text
        #expect(ofPreset == ofFile && !ofPreset.isEmpty)
    }

    @Test(
        arguments: [
            (["config"], 64, "expected one of --list and --show"),
            (["config", "--list", "--show", "tiny-cpu"], 64, "expected one of --list and --show"),
            (["config", "--list", "--resolved"], 64, "--resolved requires --show"),
            (["config", "--show", "tiny"], 66, "no such file"),
        ] as [([String], Int32, String)])
    func refusals(_ arguments: [String], _ code: Int32, _ words: String) async throws {
        let result = try await SeddProcess.run(arguments)
        #expect(result.code == code && result.errors.contains(words), "\(result.code): \(result.errors)")
    }
}

/// `sedd train --from`.
@Suite struct FineTuningCommandTests {
    @Test func aModelGoesOnLearningAnotherText() async throws {
        let folder = try TemporaryFolder()
        let text = try folder.file("other.txt", String(repeating: "a king sings by the river at night. ", count: 200))
        let model = try await TinyRun.shared()
        let result = try await SeddProcess.run([
            "train", "--from", model.path, "--data", text.path, "--set", "training.n_iters=40", "--set",
            "optim.warmup=5",
            "--set", "optim.lr=3.0e-3", "--set", "training.batch_size=4", "--set", "training.sample_freq=0",
            "--output", folder.path("run"),
        ])
        #expect(result.code == 0, "\(result.errors)")
        let run = folder.url.appendingPathComponent("run")
        let validations = try TinyRun.metrics(run).compactMap { $0["validation"] as? Double }
        #expect(validations.count == 2 && validations[1] < validations[0], "\(validations)")
        let yaml = try String(contentsOf: run.appendingPathComponent("run.yaml"), encoding: .utf8)
        #expect(yaml.contains("hidden_size: 32") && yaml.contains("from: /"))
        let svg = try String(contentsOf: run.appendingPathComponent("curve.svg"), encoding: .utf8)
        #expect(svg.hasPrefix("<svg"))
    }

    @Test func otherShapesAndVocabulariesAreRefused() async throws {
        let folder = try TemporaryFolder()
        let text = try folder.file("other.txt", TinyRun.text)
        let model = try await TinyRun.shared()
        for (set, words) in [
            ("model.hidden_size=64", "model.hidden_size is 64, the model has 32"),
            ("tokenizer=characters:\(text.path)", "the model 256"),
            ("training.freeze=[nothing]", "no weights are called 'nothing'"),
        ] {
            let result = try await SeddProcess.run([
                "train", "--from", model.path, "--data", text.path, "--set", set, "--output", folder.path("refused"),
            ])
            #expect([64, 65].contains(result.code) && result.errors.contains(words), "\(set): \(result.errors)")
            #expect(
                result.errors.split(separator: "\n").filter { $0.hasPrefix("Error") || $0.hasPrefix("sedd") }.count <= 1
            )
        }
    }
}
