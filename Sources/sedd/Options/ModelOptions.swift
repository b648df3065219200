import ArgumentParser
import Files
import Foundation
import SEDD
import Text
import Torch

/// Which model, with which tokenizer.
struct ModelOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Model folder: config.json, weights and tokenizer files.", valueName: "dir"))
    var model: String

    @Option(
        help: ArgumentHelp(
            "Tokenizer for a folder without one: byte, characters:FILE, gpt2:DIR or hf:PATH.", valueName: "tokenizer"))
    var tokenizer: String?

    /// A model of either kind.
    func languageModel(_ engine: EngineOptions) throws -> LanguageModel {
        try LanguageModel.load(
            FileSystem.url(model), device: engine.open(), precision: engine.precision, note: Console.note)
    }

    /// The tokenizer, checked against the model's vocabulary. A released autoregressive model may have more outputs than its
    /// tokenizer has tokens, because vocabularies are padded to round sizes.
    func makeTokenizer(for loaded: LanguageModel) throws -> any Tokenizer {
        let made =
            try tokenizer.map { try TokenizerSpecification($0).load() }
            ?? Tokenizers.load(kind: loaded.tokenizer, folder: FileSystem.url(model).containingFolder)
        if case .autoregressive(let network) = loaded, made.vocabularySize < loaded.tokens,
            network.configuration.accepts(vocabulary: made.vocabularySize)
        {
            Console.note(
                "\(model) has \(loaded.tokens) outputs, the tokenizer \(made.vocabularySize) tokens; the rest count as padding"
            )
            return made
        }
        guard made.vocabularySize == loaded.tokens else {
            throw SEDDError(
                .invalidData,
                "the tokenizer has \(made.vocabularySize) tokens, the model \(model) \(loaded.tokens); choose the one it was trained with"
            )
        }
        return made
    }
}
