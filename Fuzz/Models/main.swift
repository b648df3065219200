import Files
import Foundation
import Harness
import SEDD
import Text

// The readers of what describes models, runs and prompts.

Harness.run([
    "config": { bytes, scratch in
        let url = scratch.file("config.json", bytes)
        if let diffusion = try? ModelConfiguration(contentsOf: url) {
            _ = WeightLayout(diffusion).parameters
            _ = diffusion.makeGraph().states
        }
        _ = try AutoregressiveConfiguration(contentsOf: url)
    },
    "model": { bytes, scratch in
        _ = scratch.file("config.json", bytes)
        _ = scratch.file("model.safetensors", [2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D])
        _ = try LanguageModel.load(scratch.folder)
    },
    "hydra": { bytes, scratch in
        _ = try LanguageModel.load(
            scratch.file("w.safetensors", [2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D]),
            configuration: scratch.file("config.yaml", bytes))
    },
    "run": { bytes, _ in
        let made = try ConfigurationFile.resolve(yaml: String(decoding: bytes, as: UTF8.self), source: "run.yaml")
        // What is written of it means the same.
        let written = try ConfigurationFile.yaml(made)
        let read = try ConfigurationFile.resolve(yaml: written, source: "run.yaml")
        precondition(read == made, written)
    },
    "override": { bytes, _ in
        _ = try ConfigurationFile.resolve(
            yaml: "", overrides: [String(decoding: bytes, as: UTF8.self)], source: "run.yaml")
    },
    "template": { bytes, _ in
        let template = try Template(String(decoding: bytes, as: UTF8.self))
        precondition(template.sizedHoleTokens >= 0)
    },
])
