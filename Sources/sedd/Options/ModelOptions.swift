import ArgumentParser
import Files
import Foundation
import SEDD
import Text
import Torch

/// Which model, with which tokenizer.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A model folder, a run, a bundled model's name (sedd models), or ORG/NAME[@REVISION] of the hub.",
            valueName: "model"))
    var model: String

    @Option(
        help: ArgumentHelp(
            "Tokenizer for a model without one: byte, characters:FILE, gpt2:DIR, hf:PATH or hf:ORG/NAME.",
            valueName: "tokenizer"))
    var tokenizer: String?

    /// The model's files, fetched from the hub if they are not in its cache.
    func find() async throws -> FoundModel { try await ModelFinder.shared.find(model) }

    /// A model of either kind.
    ///
    /// - Parameter team: the processes that each load it. One process per machine downloads it, if necessary, before
    ///   the others.
    func languageModel(_ engine: EngineOptions, team: Team = .alone) async throws -> LanguageModel {
        let device = try engine.open(team: team)
        return try LanguageModel.load(
            await team.inTurns("download of the model") { try await find().place }, device: device,
            precision: engine.precision, note: team.isFirst ? Console.note : { _ in })
    }

    /// The tokenizer, checked against the model's vocabulary. A model may have more tokens than its tokenizer: vocabularies are
    /// padded to round sizes, and Duo's has a token for padding.
    func makeTokenizer(for loaded: LanguageModel) async throws -> any Tokenizer {
        let made = try await tokenizer(for: loaded)
        guard let padding = loaded.padding(beside: made.vocabularySize) else {
            throw SEDDError(
                .invalidData,
                "the tokenizer has \(made.vocabularySize) tokens, the model \(model) \(loaded.vocabularyDescription); choose the one it was trained with"
            )
        }
        guard padding > 0 else { return made }
        Console.note(
            "\(model) has \(loaded.tokens) tokens, the tokenizer \(made.vocabularySize); the last \(padding == 1 ? "one is" : "\(padding) are") padding, without text"
        )
        return PaddedTokenizer(made, padding: padding)
    }

    /// The tokenizer given by the option, the one beside the model, or the one that released models assume.
    private func tokenizer(for loaded: LanguageModel) async throws -> any Tokenizer {
        if let tokenizer { return try await HubAccess.tokenizer(tokenizer) }
        let folder = try await find().place.containingFolder
        do { return try Tokenizers.load(kind: loaded.tokenizer, folder: folder) } catch {
            guard error.kind == .missingInput, loaded.tokenizer == nil, GPT2Vocabulary.fits(loaded) else { throw error }
            return try await GPT2Vocabulary.tokenizer(for: model)
        }
    }
}
