import ArgumentParser
import Files
import Foundation
import Presets
import SEDD
import Text

/// What commands that train are told: a configuration or a preset, overrides, texts.
enum TrainingInput {
    /// The resolved configuration, with the texts by whole paths.
    static func configuration(_ config: String, overrides: [String], data: [PathArgument]) throws
        -> TrainingConfiguration
    {
        var made =
            try Presets.yaml(named: config).map {
                try ConfigurationFile.resolve(yaml: $0, overrides: overrides, source: "preset \(config)")
            } ?? ConfigurationFile.resolve(contentsOf: FileSystem.url(config), overrides: overrides)
        do { _ = try Predictors.named(made.sampling.predictor) } catch {
            throw SEDDError(.invalidData, "\(config): sampling.predictor: \(error.description)")
        }
        if !data.isEmpty { made.data.files = data.map(\.text) }
        guard !made.data.files.isEmpty else { throw ValidationError("--data is missing; name one or more files") }
        made.data.files = made.data.files.map(FileSystem.realPath)
        return made
    }

    /// The tokenizer that a configuration names; `characters` alone means those of the data.
    static func makeTokenizer(_ configuration: TrainingConfiguration) throws -> any Tokenizer {
        guard configuration.tokenizer == CharacterTokenizer.kind else {
            return try TokenizerSpecification(configuration.tokenizer).load()
        }
        // The alphabet of all the data, held-out part included: a scalar that is only there must have an id too.
        let alphabets = try configuration.data.files.map {
            try CharacterTokenizer(alphabetOf: URL(filePath: $0)).alphabet
        }
        return try CharacterTokenizer(alphabetOf: String(String.UnicodeScalarView(alphabets.joined())))
    }

    /// The tokens of the texts.
    static func dataset(
        _ configuration: TrainingConfiguration, _ tokenizer: any Tokenizer, _ console: Console
    ) throws -> TokenDataset {
        try TokenDataset(
            sources: configuration.data.files.map { URL(filePath: $0) }, tokenizer: tokenizer,
            heldOutFraction: configuration.data.heldOut
        ) { progress in
            console.progress(
                Double(progress.bytesDone) / Double(max(1, progress.bytesTotal)),
                "tokenizing \(progress.file): \(progress.bytesDone >> 20) of \(progress.bytesTotal >> 20) MiB")
        }
    }
}
