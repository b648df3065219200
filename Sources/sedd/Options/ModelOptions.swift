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
            "Tokenizer for a folder without one: byte, characters:FILE or gpt2:DIR.", valueName: "tokenizer"))
    var tokenizer: String?

    /// A model of either kind.
    func languageModel(_ engine: EngineOptions) throws -> LanguageModel {
        try LanguageModel.load(FileSystem.url(model), device: engine.open(), precision: engine.precision)
    }

    /// The tokenizer, checked against the model's vocabulary.
    func makeTokenizer(for loaded: LanguageModel) throws -> any Tokenizer {
        let made =
            try tokenizer.map { try TokenizerSpecification($0).load() }
            ?? Tokenizers.load(kind: loaded.tokenizer, folder: FileSystem.url(model))
        guard made.vocabularySize == loaded.tokens else {
            throw SEDDError(
                .invalidData,
                "the tokenizer has \(made.vocabularySize) tokens, the model \(model) \(loaded.tokens); choose the one it was trained with"
            )
        }
        return made
    }
}
