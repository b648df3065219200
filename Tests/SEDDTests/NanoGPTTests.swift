import Files
import Foundation
import Testing
import Text
import Torch

@testable import SEDD

/// Checkpoints of nanoGPT, and heads that are tied to the embedding or not.
@Suite struct NanoGPTTests {
    private static let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    private func difference(_ network: AutoregressiveNetwork, _ name: String) throws -> Difference {
        let expected = try Safetensors(contentsOf: Self.golden.appending(path: "nanogpt-\(name).safetensors"))
        let logits = try network.logits(network.hidden(expected.tensor("tokens")).reshaped([12, 8]))
        return Difference(try logits.array(), try expected.tensor("logits").array())
    }

    // `Golden/nanogpt.py` creates the files.
    @Test(arguments: ["tied", "separate"]) func logits(name: String) throws {
        var notes: [String] = []
        let file = Self.golden.appending(path: "nanogpt-\(name).pt")
        let network = try LanguageModel.load(file, note: { notes.append($0) }).autoregressive()
        #expect(notes.count == 1 && notes[0].contains("nanoGPT"), "\(notes)")
        #expect(network.configuration.tiesHead == (name == "tied"))
        let found = try difference(network, name)
        print("nanoGPT \(name): \(found)")
        #expect(found.absolute < 1e-5, "\(found)")

        // Converted to a GPT-2 folder and to single files, it stays the same.
        let folder = try TemporaryFolder()
        for target in ["folder", "w.safetensors", "pytorch_model.bin"] {
            let written = folder.url.appending(path: target)
            try Conversion.write(.autoregressive(network), to: written)
            let again = try LanguageModel.load(written).autoregressive()
            #expect(again.configuration == network.configuration, "\(target)")
            #expect(try again.weights.flat.array(Float.self) == network.weights.flat.array(Float.self), "\(target)")
        }
        let error = #expect(throws: SEDDError.self) {
            try Conversion.write(.autoregressive(network), to: folder.url.appending(path: "x.pth"))
        }
        #expect(error?.kind == .usage)
    }

    @Test func aHeadThatIsSaidButNotThere() throws {
        let folder = try TemporaryFolder()
        let network = try LanguageModel.load(Self.golden.appending(path: "nanogpt-tied.pt")).autoregressive()
        var configuration = network.configuration
        configuration.tiesHead = false
        try AutoregressiveFolder.save(configuration, network.weights, to: folder.url)
        let error = #expect(throws: SEDDError.self) { _ = try LanguageModel.load(folder.url) }
        #expect(error?.description.contains("tie_word_embeddings is false") == true, "\(String(describing: error))")
    }

    // A separate head is trained, and the embedding is then not.
    @Test func gradientsGoToTheHead() throws {
        let network = try LanguageModel.load(Self.golden.appending(path: "nanogpt-separate.pt")).autoregressive()
        let gradients = try Weights(layout: network.weights.layout)
        for (name, tensor) in network.weights.named {
            try tensor.requireGradient()
            try tensor.accumulateGradient(into: gradients(name))
        }
        _ = try NextTokenLoss(network: network).accumulateGradients(
            [[1, 2, 3, 4]], scale: 1, dropout: nil, into: gradients)
        let head = try gradients("lm_head.weight").array(Double.self)
        #expect(head.contains { abs($0) > 1e-6 })
    }

    @Test func argumentsThatLack() throws {
        let folder = try TemporaryFolder()
        let tensor = PickleWriter.Node.tensor(try Tensor([1.0]))
        let file = folder.url.appending(path: "ckpt.pt")
        try PickleWriter.write(
            .dictionary([
                ("model", .dictionary([("w", tensor)])), ("model_args", .dictionary([("n_layer", .integer(1))])),
            ]),
            to: file)
        let error = #expect(throws: SEDDError.self) { _ = try LanguageModel.load(file) }
        #expect(error?.description.contains("model_args lacks vocab_size") == true, "\(String(describing: error))")
        try PickleWriter.write(
            .dictionary([
                ("model", .dictionary([("w", tensor)])),
                (
                    "model_args",
                    .dictionary(
                        ["n_layer", "n_head", "n_embd", "block_size", "vocab_size"].map { ($0, .integer(.max)) })
                ),
            ]), to: file)
        let huge = #expect(throws: SEDDError.self) { _ = try LanguageModel.load(file) }
        #expect(huge?.description.contains("9223372036854775807") == true, "\(String(describing: huge))")
        try PickleWriter.write(
            .dictionary([
                ("model", .dictionary([("w", tensor)])),
                (
                    "model_args",
                    .dictionary(
                        ["n_layer", "n_head", "n_embd", "block_size", "vocab_size"].map { ($0, .integer(-1)) })
                ),
            ]), to: file)
        let negative = #expect(throws: SEDDError.self) { _ = try LanguageModel.load(file) }
        #expect(negative?.description.contains("-1") == true, "\(String(describing: negative))")
    }

    /// Of two names for one weight, neither is chosen.
    @Test func namesThatMeanTheSame() throws {
        let folder = try TemporaryFolder()
        let network = try randomAutoregressive()
        try AutoregressiveFolder.save(network.configuration, network.weights, to: folder.url)
        let file = folder.url.appending(path: "model.safetensors")
        let named = try network.weights.named.map { (name: $0.name, tensor: try $0.tensor.detached()) }
        let twice = named + [(name: "wte.weight", tensor: try named[0].tensor.cloned())]
        try Safetensors.write(twice, metadata: ["format": "pt"], to: file)
        try? FileManager.default.removeItem(at: folder.url.appending(path: "manifest.json"))
        let error = #expect(throws: SEDDError.self) { try LanguageModel.load(folder.url) }
        #expect(
            error?.description.contains("both transformer.wte.weight and wte.weight") == true,
            "\(String(describing: error))")
    }

    // A vocabulary padded beyond the tokenizer's is accepted; one that lacks tokens is refused.
    @Test func paddedVocabularies() throws {
        let network = try LanguageModel.load(Self.golden.appending(path: "nanogpt-tied.pt")).autoregressive()
        let padded = try Judge(network: network, tokenizer: CharacterTokenizer(alphabetOf: "abcdefgh"))
        #expect(try padded.nats([padded.tokens("abchg")]).joined().allSatisfy { $0 > 0 && $0.isFinite })
        for alphabet in ["abcdefghijk", "abcdefgh"] {
            var configuration = network.configuration
            if alphabet.count == 8 { configuration.tokens = 10 }
            let other = try AutoregressiveNetwork(configuration, network.weights)
            #expect(throws: SEDDError.self, "\(alphabet)") {
                _ = try Judge(network: other, tokenizer: CharacterTokenizer(alphabetOf: alphabet))
            }
        }
    }
}
