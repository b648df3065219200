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

    /// The tokenizer, checked against the model's vocabulary. A released autoregressive model may have more outputs than its
    /// tokenizer has tokens, because vocabularies are padded to round sizes.
    func makeTokenizer(for loaded: LanguageModel) async throws -> any Tokenizer {
        let made = try await tokenizer(for: loaded)
        if case .autoregressive(let network) = loaded, made.vocabularySize < loaded.tokens,
            network.configuration.accepts(vocabulary: made.vocabularySize)
        {
            Console.note(
                "\(model) has \(loaded.tokens) outputs, the tokenizer \(made.vocabularySize) tokens; the rest count as padding"
            )
            return made
        }
        if case .diffusion(let network) = loaded,
            let padding = network.configuration.padding(beside: made.vocabularySize), padding > 0
        {
            Console.note(
                "\(model) has \(loaded.tokens) states, the tokenizer \(made.vocabularySize) tokens; the last \(padding == 1 ? "one is" : "\(padding) are") padding, without text"
            )
            return PaddedTokenizer(made, padding: padding)
        }
        guard made.vocabularySize == loaded.tokens else {
            throw SEDDError(
                .invalidData,
                "the tokenizer has \(made.vocabularySize) tokens, the model \(model) \(loaded.tokens); choose the one it was trained with"
            )
        }
        return made
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
