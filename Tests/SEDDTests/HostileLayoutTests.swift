import Files
import Foundation
import Testing
import Torch

@testable import SEDD

/// Malformed configurations and weights of published layouts are refused with one line.
struct HostileLayoutTests {
    struct Case: Sendable, CustomStringConvertible {
        let name: String
        var layout = "mdlm"
        /// Replacements of members of the configuration, as JSON; an empty one removes it.
        var members: [String: String] = [:]
        /// Weights that are renamed, or dropped by an empty name.
        var names: [String: String] = [:]
        let words: [String]
        var description: String { name }
    }

    static let huge = "9223372036854775808"
    static let cases: [Case] = [
        .init(name: "width of 2^63", members: ["hidden_dim": huge], words: ["hidden_dim"]),
        .init(
            name: "width of 2^63 - 1", members: ["hidden_dim": "9223372036854775807"],
            words: ["hidden_dim is 9223372036854775807", "2^20"]),
        .init(name: "negative width", members: ["hidden_dim": "-8"], words: ["hidden_dim is -8"]),
        .init(name: "heads that do not divide", members: ["n_heads": "3"], words: ["n_heads 3"]),
        .init(name: "one state", members: ["vocab_size": "1"], words: ["vocab_size is 1", "from 2"]),
        .init(
            name: "vocabulary of 2^62", members: ["vocab_size": "4611686018427387904"], words: ["vocab_size", "2^28"]),
        .init(name: "another width", members: ["hidden_dim": "16"], words: ["expected [16]", "found [8]"]),
        .init(name: "fractional blocks", members: ["n_blocks": "1.5"], words: ["n_blocks"]),
        .init(name: "dropout of 1", members: ["dropout": "1"], words: ["dropout is 1"]),
        .init(name: "missing vocabulary", members: ["vocab_size": ""], words: ["vocab_size"]),
        .init(
            name: "missing conditioning", members: ["time_conditioning": ""],
            words: ["time_conditioning is missing"]),
        .init(
            name: "unknown key", members: ["rope_base": "5000"],
            words: ["'rope_base' is not one of MDLM's", "hidden_dim"]),
        .init(
            name: "key of another layout", members: ["block_size": "9"], words: ["'block_size' is not one of MDLM's"]),
        .init(name: "another type", members: ["model_type": "\"llama\""], words: ["model_type is 'llama'", "mdlm"]),
        .init(name: "type that is a number", members: ["model_type": "7"], words: ["model_type is 7", "string"]),
        .init(
            name: "block that does not divide", layout: "bd3lm", members: ["block_size": "4"],
            words: ["block_size is 4", "a divisor of model_length, 9"]),
        .init(
            name: "short block", layout: "bd3lm", members: ["block_size": "3"],
            words: ["block_size is 3", "causal over blocks"]),
        .init(name: "block of 0", layout: "bd3lm", members: ["block_size": "0"], words: ["block_size is 0"]),
        .init(name: "no block", layout: "bd3lm", members: ["block_size": ""], words: ["block_size is missing"]),
        .init(name: "causal", layout: "bd3lm", members: ["causal": "true"], words: ["causal is true"]),
        .init(name: "without adaLN", layout: "bd3lm", members: ["adaln": "false"], words: ["adaln is false"]),
        .init(name: "causal Duo", layout: "duo", members: ["causal": "true"], words: ["causal is true"]),
        .init(
            name: "RADD of width 2^63 - 1", layout: "radd", members: ["tokens": "9223372036854775807"],
            words: ["tokens is 9223372036854775807"]),
        .init(
            name: "weights of RADD", members: [:],
            names: ["backbone.blocks.0.norm1.weight": "backbone.blocks.0.norm1.bias"],
            words: ["blocks.0.norm1.bias: expected none, found one", "blocks.0.norm1.weight: expected [8], found none"]),
        .init(
            name: "missing weight", names: ["backbone.sigma_map.mlp.0.bias": ""],
            words: ["sigma_map.mlp.0.bias: expected [4], found none"]),
        .init(
            name: "missing bias of a norm", layout: "radd", names: ["output_layer.norm_final.bias": ""],
            words: ["output_layer.norm_final.bias: expected [8], found none"]),
        .init(
            name: "unknown weight", names: ["backbone.output_layer.linear.bias": "backbone.output_layer.linear.more"],
            words: ["output_layer.linear.more: expected none, found one"]),
        .init(
            name: "buffer of BD3-LM", names: ["backbone.rotary_emb.inv_freq": "sampling_eps_min"],
            words: ["sampling_eps_min: expected none, found one"]),
    ]

    @Test(arguments: cases) func refused(_ one: Case) throws {
        let source = CheckpointGoldenTests.folder.appending(path: one.layout)
        let folder = try TemporaryFolder()
        let read = try JSONSerialization.jsonObject(with: Data(contentsOf: source.appending(path: "config.json")))
        var members = try #require(read as? [String: Any])
        var texts: [String] = []
        for (key, value) in one.members {
            members[key] = nil
            if !value.isEmpty { texts.append("\"\(key)\": \(value)") }
        }
        let rest = String(decoding: try JSONSerialization.data(withJSONObject: members), as: UTF8.self)
        let text = ([String(rest.dropFirst().dropLast())] + texts).joined(separator: ", ")
        try Data("{\(text)}".utf8).write(to: folder.url.appending(path: "config.json"))
        let file = try Safetensors(contentsOf: source.appending(path: "model.safetensors"))
        let tensors = try file.names.compactMap { name -> (name: String, tensor: Tensor)? in
            guard let renamed = one.names[name] else { return (name, try file.tensor(name)) }
            return renamed.isEmpty ? nil : (renamed, try file.tensor(name))
        }
        try Safetensors.write(tensors, to: folder.url.appending(path: "model.safetensors"))
        do {
            _ = try LanguageModel.load(folder.url)
            Issue.record("\(one.name) was accepted")
        } catch let error as any ClassifiedError {
            #expect(error.failure == .invalidData, "\(error)")
            let line = "\(error)"
            #expect(!line.contains("\n"))
            for word in one.words { #expect(line.contains(word), "\(one.name): \(line)") }
        }
    }

    /// A thousand mutations of each configuration: values replaced, bytes changed or removed. The result is a model or an error, never a trap.
    @Test(arguments: CheckpointGoldenTests.layouts) func mutations(_ layout: String) throws {
        let source = CheckpointGoldenTests.folder.appending(path: layout)
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            at: source.appending(path: "model.safetensors"), to: folder.url.appending(path: "model.safetensors"))
        let text = try String(contentsOf: source.appending(path: "config.json"), encoding: .utf8)
        let numbers = text.matches(of: /: (\d[\d.e-]*|true|false|"[^"]*")/)
        let values = [
            "0", "-1", "1", "2", "3", "9", "1048576", "268435456", "9223372036854775807", "-9223372036854775808",
            "18446744073709551615", "1e400", "1e18", "0.5", "null", "true", "false", "[]", "{}", "\"x\"",
        ]
        let stream = RandomStream(seed: 9, purpose: .windows)
        var (models, errors) = (0, 0)
        for trial in 0..<1000 {
            func random(_ bound: Int, _ draw: Int) -> Int {
                stream.integer(below: bound, step: trial, sequence: 0, draw: draw)
            }
            var bytes: [UInt8]
            if trial % 2 == 0 {
                let chosen = numbers[random(numbers.count, 0)]
                bytes = Array(
                    text.replacingCharacters(in: chosen.range, with: ": " + values[random(values.count, 1)]).utf8)
            } else {
                bytes = Array(text.utf8)
                bytes[random(bytes.count, 0)] = UInt8(random(256, 1))
                if random(4, 2) == 0 { bytes.removeLast(random(bytes.count, 3)) }
            }
            try Data(bytes).write(to: folder.url.appending(path: "config.json"))
            do {
                _ = try LanguageModel.load(folder.url)
                models += 1
            } catch let error as any ClassifiedError {
                errors += 1
                #expect(!"\(error)".contains("\n") && error.failure == .invalidData, "\(error)")
            }
        }
        #expect(models > 0 && errors > 400, "\(models) models, \(errors) errors")
    }
}
