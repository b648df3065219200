import Files
import Foundation
import Testing
import Torch

@testable import SEDD

/// Published layouts against a second implementation, `Scripts/checkpoint_golden.py`, which computes in float64.
struct CheckpointGoldenTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/checkpoints")
    static let layouts = ["mdlm", "bd3lm", "radd", "duo"]

    private func load(_ layout: String) throws -> (network: ScoreNetwork, expected: Safetensors) {
        let place = Self.folder.appending(path: layout)
        return (
            try ModelFolder.load(place), try Safetensors(contentsOf: place.appending(path: "expected.safetensors"))
        )
    }

    private func numbers(_ file: Safetensors, _ name: String) throws -> [Double] { try file.tensor(name).array() }

    @Test(arguments: layouts) func lawsLossesAndSteps(_ layout: String) throws {
        let (network, expected) = try load(layout)
        let folder = try TemporaryFolder()
        let (input, output) = (folder.url.appending(path: "in"), folder.url.appending(path: "out"))
        try Safetensors.write(["t", "xt", "x0"].map { ($0, try expected.tensor($0)) }, to: input)
        let size = try expected.tensor("step/size").item()
        try Inspection(network: network).run(input: input, output: output, stepSize: size)
        let found = try Safetensors(contentsOf: output)
        for name in ["sigma", "sigma_rate"] {
            let difference = Difference(try numbers(found, name), try numbers(expected, name))
            #expect(difference.relative < 1e-6, "\(name): \(difference)")
        }
        // Tokens excluded by a carried-over token are -infinity here, and a large negative number there.
        let (law, truth) = (try numbers(found, "log_clean"), try numbers(expected, "log_clean"))
        let excluded = truth.indices.filter { truth[$0] < -1e20 }
        #expect(excluded.allSatisfy { law[$0] == -.infinity })
        #expect(excluded.isEmpty == (layout == "duo"))
        let kept = truth.indices.filter { truth[$0] > -1e20 }
        let logs = Difference(kept.map { law[$0] }, kept.map { truth[$0] })
        #expect(logs.absolute < 1e-5, "log p: \(logs)")  // float32; 5.2e-6 by AVX2, 3.3e-6 by AVX-512
        let losses = Difference(try numbers(found, "loss"), try numbers(expected, "loss"))
        #expect(losses.relative < 2e-6, "loss: \(losses)")
        let steps = Difference(try numbers(found, "analytic_probs"), try numbers(expected, "step/probs"))
        #expect(steps.absolute < 2e-6, "step: \(steps)")
        print(
            "golden layouts: \(layout): log p \(logs.absolute), loss \(losses.relative) relative, step \(steps.absolute)"
        )
    }

    @Test(arguments: layouts) func gradients(_ layout: String) throws {
        let (network, expected) = try load(layout)
        let (compared, worst) = try compareGradients(network, expected, lossTolerance: 2e-6, tolerance: 2e-5)
        #expect(compared == network.weights.layout.entries.count)
        print("golden layouts: \(layout): gradients \(worst) of each tensor's largest entry")
    }

    /// Each layout is written as this project's, and as itself again, without a change of any weight or output.
    @Test(arguments: layouts) func conversions(_ name: String) throws {
        let layout = try #require(CheckpointLayout(rawValue: name))
        let source = Self.folder.appending(path: name)
        let model = try LanguageModel.load(source)
        let folder = try TemporaryFolder()
        let bytes: [Float] = try model.weights.flat.array()
        for (ending, form) in [
            ("own", CheckpointLayout.sedd), ("back", layout), ("own.safetensors", .sedd), ("back.safetensors", layout),
            ("back.bin", layout),
        ] {
            let target = folder.url.appending(path: ending)
            try Conversion.write(model, to: target, layout: form)
            let again = try LanguageModel.load(target)
            #expect(try again.weights.flat.array(Float.self) == bytes, "\(ending)")
            #expect(try again.diffusion().configuration == model.diffusion().configuration, "\(ending)")
        }
        // The names of the weights are those of the published file, buffers included.
        let written = try Safetensors(contentsOf: folder.url.appending(path: "back/model.safetensors"))
        let published = try Safetensors(contentsOf: source.appending(path: "model.safetensors"))
        #expect(Set(written.names) == Set(published.names))
        let checkpoint = folder.url.appending(path: "x.pth")
        let error = #expect(throws: SEDDError.self) { try Conversion.write(model, to: checkpoint) }
        #expect(error?.kind == .usage && error?.description.contains("parametrisation cleanToken") == true)
    }

    /// A layout is recognized by its configuration, wherever that is stored, and whichever recomputable buffers accompany the weights.
    @Test func recognition() throws {
        let folder = try TemporaryFolder()
        func config(_ layout: String) throws -> String {
            try String(contentsOf: Self.folder.appending(path: "\(layout)/config.json"), encoding: .utf8)
        }
        let untyped = try config("radd").replacing("\"ddit_wot\"", with: "\"ddit\"")
        let lambda = untyped.replacing("\"lambda_DCE\"", with: "\"t_DCE\"")
        let cases: [(name: String, layout: String, file: String, text: String)] = [
            ("by RADD's loss", "radd", "config.json", untyped),
            ("by another loss of RADD", "radd", "config.json", lambda),
            // JSON is YAML too.
            ("a run of RADD", "radd", ".hydra/config.yaml", try config("radd")),
            ("MDLM in capitals", "mdlm", "config.json", try config("mdlm").replacing("\"mdlm\"", with: "\"MDLM\"")),
            ("BD3-LM with buffers", "bd3lm", "config.json", try config("bd3lm")),
            (
                "Duo that names its conditioning", "duo", "config.json",
                try config("duo").replacing("\"causal\": false", with: "\"time_conditioning\": true")
            ),
        ]
        for (index, one) in cases.enumerated() {
            let place = folder.url.appending(path: "\(index)")
            let file = place.appending(path: one.file)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(one.text.utf8).write(to: file)
            let published = Self.folder.appending(path: one.layout)
            let weights = try Safetensors(contentsOf: published.appending(path: "model.safetensors"))
            var tensors = try weights.names.map { (name: $0, tensor: try weights.tensor($0)) }
            if one.layout == "bd3lm" {
                tensors += [
                    ("sampling_eps_min", try Tensor([Float(1e-3)])), ("sampling_eps_max", try Tensor([Float(1)])),
                ]
            }
            try Safetensors.write(tensors, to: place.appending(path: "model.safetensors"))
            let (found, expected) = (try ModelFolder.load(place), try ModelFolder.load(published))
            #expect(found.configuration == expected.configuration, "\(one.name)")
            #expect(try found.weights.flat.array(Float.self) == expected.weights.flat.array(Float.self), "\(one.name)")
        }
        // A layout of scores and one of clean tokens are distinguished by the weights as well.
        let mixed = folder.url.appending(path: "mixed")
        try FileManager.default.createDirectory(at: mixed, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: Self.folder.appending(path: "radd/model.safetensors"), to: mixed.appending(path: "model.safetensors"))
        try FileManager.default.copyItem(
            at: Self.folder.appending(path: "mdlm/config.json"), to: mixed.appending(path: "config.json"))
        let error = #expect(throws: SEDDError.self) { _ = try ModelFolder.load(mixed) }
        #expect(error?.kind == .invalidData)
        #expect(error?.description.contains("sigma_map.mlp.0.weight: expected [4, 256], found none") == true)
        #expect(error?.description.contains("more") == true)
    }

    /// What a layout cannot express is refused.
    @Test func layoutsThatDoNotFit() throws {
        let folder = try TemporaryFolder()
        for (kind, fitting) in [
            (NetworkKind.cleanTokens[0], ["mdlm", "bd3lm"]), (NetworkKind.cleanTokens[1], ["mdlm", "bd3lm"]),
            (NetworkKind.cleanTokens[2], ["radd"]), (NetworkKind.cleanTokens[3], ["duo"]),
            (NetworkKind.scores[0], []), (NetworkKind.scores[1], []),
        ] {
            var configuration = kind.configuration()
            configuration.noise = .init(type: .loglinear)
            let model = LanguageModel.diffusion(try ScoreNetwork(configuration, seed: 1))
            for layout in CheckpointLayout.allCases where layout != .sedd {
                let target = folder.url.appending(path: "\(kind)-\(layout.rawValue)")
                if fitting.contains(layout.rawValue) {
                    try Conversion.write(model, to: target, layout: layout)
                    #expect(try LanguageModel.load(target).diffusion().configuration.model == configuration.model)
                } else {
                    let error = #expect(throws: SEDDError.self, "\(kind) as \(layout)") {
                        try Conversion.write(model, to: target, layout: layout)
                    }
                    #expect(error?.kind == .usage)
                    #expect(!FileManager.default.fileExists(atPath: target.path))
                }
            }
        }
    }
}
