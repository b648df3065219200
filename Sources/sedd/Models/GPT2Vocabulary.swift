import Files
import Foundation
import Hub
import SEDD
import Text

/// GPT-2's tokenizer, which released diffusion models assume without containing its files.
enum GPT2Vocabulary {
    static let tokens = 50257
    /// The repository of its files, and its older name, under which caches may hold them.
    static let repositories = ["openai-community/gpt2", "gpt2"]

    /// Whether a model with that number of tokens could have been trained with it.
    static func fits(_ model: LanguageModel) -> Bool {
        model.padding(beside: tokens) != nil
    }

    /// Whether the model in `folder` has no tokenizer and probably assumes this one.
    static func isMissing(in folder: URL) -> Bool {
        let names = ["tokenizer.json", "vocab.json", "characters.txt"]
        guard !names.contains(where: { FileSystem.exists(folder.appending(path: $0)) }),
            let bytes = try? FileSystem.contents(of: folder.appending(path: "config.json"), limit: 1 << 24),
            case .object(let members)? = try? JSON.parse(bytes, source: "config.json"), members["tokenizer"] == nil
        else { return false }
        // Vocabularies of absorbing chains may count the mask, and vocabularies may be padded.
        var padding = 0
        if case .integer(let stated)? = members["padding"], (0..<1 << 28).contains(stated) { padding = stated }
        return [tokens, tokens + 1].contains {
            members["tokens"] == .integer($0 + padding) || members["vocab_size"] == .integer($0)
        }
    }

    /// The folder with its files, from the cache if it has them, otherwise from the hub.
    static func folder() async throws -> URL {
        let hub = try HubAccess.hub()
        for name in repositories {
            let model = try HubModel(name, allowsBareName: true)
            if let snapshot = await hub.cachedSnapshot(model, .tokenizer) { return snapshot.folder }
        }
        return try await hub.snapshot(HubModel(repositories[0]), .tokenizer).folder
    }

    /// The tokenizer for a model without tokenizer files.
    ///
    /// - Throws: `missingInput` if it is neither in the cache nor available from the hub.
    static func tokenizer(for model: String) async throws -> any Tokenizer {
        do {
            let folder = try await folder()
            Console.note("\(model) has no tokenizer and as many tokens as GPT-2: using that of \(repositories[0])")
            return try Tokenizers.load(folder: folder)
        } catch let error as FileError where error.kind == .missingInput {
            throw FileError(
                .missingInput, "the model has no tokenizer, and GPT-2's is not available: \(error.problem)",
                source: model,
                remedy: "pass --tokenizer gpt2:DIR or hf:PATH")
        }
    }
}
