import ArgumentParser
import Files
import Foundation
import Presets
import SEDD
import Text

/// The input of commands that train: a configuration or a preset, overrides, texts.
enum TrainingInput {
    /// The resolved configuration, with absolute paths of the texts.
    ///
    /// - Parameters:
    ///   - config: a preset or a file; optional if training starts from a model.
    ///   - from: the model whose weights training starts from.
    static func configuration(
        _ config: String?, from: PathArgument? = nil, overrides: [String], data: [PathArgument]
    ) async throws -> TrainingConfiguration {
        var made =
            if let from {
                try await started(from: from, config, overrides: overrides)
            } else {
                try resolved(config ?? "", overrides: overrides)
            }
        if !data.isEmpty { made.data.files = data.map(\.text) }
        guard !made.data.files.isEmpty else { throw ValidationError("--data is missing; expected one or more files") }
        made.data.files = made.data.files.map(FileSystem.realPath)
        return made
    }

    /// The configuration of a run that starts from a model: with the model's shape and tokenizer, or with those of
    /// `config`, which must match.
    private static func started(
        from folder: PathArgument, _ config: String?, overrides: [String]
    ) async throws -> TrainingConfiguration {
        let start = try StartingModel(
            contentsOf: await ModelFinder.shared.find(folder.text, runs: .asTheyAre).place)
        var made = try config.map { try resolved($0, overrides: overrides) } ?? adopted(start, overrides: overrides)
        try start.requireShape(of: made)
        if made.tokenizer == CharacterTokenizer.kind, let own = start.specification { made.tokenizer = own }
        let tokenizer = try await HubAccess.tokenizer(made.tokenizer)
        if config == nil, !overrides.contains(where: { $0.hasPrefix("model.padding=") }),
            let padding = start.padding(beside: tokenizer)
        {
            made.model.padding = padding
        }
        try start.requireTokenizer(tokenizer, padding: made.model.padding)
        made.training.from = start.folder.path
        return made
    }

    private static func adopted(_ start: StartingModel, overrides: [String]) throws -> TrainingConfiguration {
        var made = TrainingConfiguration()
        start.adopt(into: &made)
        // A trained model needs no long warm-up.
        made.optim.warmup = 100
        var isNamed = start.specification != nil || overrides.contains { $0.hasPrefix("tokenizer=") }
        if !isNamed, let own = unnamedTokenizer(start.folder) {
            (made.tokenizer, isNamed) = (own, true)
            Console.note("--from \(start.folder.path): its configuration names no tokenizer; training with \(own)")
        }
        guard isNamed else {
            throw SEDDError(
                .usage,
                "--from \(start.folder.path): the folder has no tokenizer; name it with --set tokenizer=gpt2:DIR")
        }
        return try ConfigurationFile.resolve(
            yaml: ConfigurationFile.yaml(made), overrides: overrides, source: "--from \(start.folder.path)")
    }

    /// The tokenizer of a model whose configuration does not name one: that of the files beside it, or for released diffusion
    /// models GPT-2's.
    private static func unnamedTokenizer(_ folder: URL) -> String? {
        func has(_ name: String) -> Bool { FileSystem.exists(folder.appending(path: name)) }
        if has("tokenizer.json") { return "hf:\(folder.path)" }
        if has("vocab.json"), has("merges.txt") { return "gpt2:\(folder.path)" }
        return GPT2Vocabulary.isMissing(in: folder) ? "hf:\(GPT2Vocabulary.repositories[0])" : nil
    }

    /// The configuration of a preset or a file, without texts.
    static func resolved(_ config: String, overrides: [String]) throws -> TrainingConfiguration {
        try Presets.yaml(named: config).map {
            try ConfigurationFile.resolve(yaml: $0, overrides: overrides, source: "preset \(config)")
        } ?? ConfigurationFile.resolve(contentsOf: FileSystem.url(config), overrides: overrides)
    }

    /// The contents of a preset or a configuration file.
    static func yaml(_ config: String) throws -> String {
        if let preset = Presets.yaml(named: config) { return preset }
        let url = FileSystem.url(config)
        let text = try ConfigurationFile.text(of: url)
        _ = try ConfigurationFile.resolve(yaml: text, source: url.path)
        return text
    }

    /// The tokenizer named by a configuration; plain `characters` means the characters of the data.
    static func makeTokenizer(_ configuration: TrainingConfiguration) async throws -> any Tokenizer {
        guard configuration.tokenizer == CharacterTokenizer.kind else {
            return try await HubAccess.tokenizer(configuration.tokenizer)
        }
        // The alphabet of all data, including the held-out part: characters that occur only there need an id too.
        return try CharacterTokenizer(alphabetOf: configuration.data.files.map { URL(filePath: $0) })
    }

    /// Tokenizes the texts for several processes: the first builds the cache, then one on each other machine, then the others use it.
    static func dataset(
        _ configuration: TrainingConfiguration, _ tokenizer: any Tokenizer, _ console: Console, _ team: Team
    ) async throws -> TokenDataset {
        try await team.inTurns("token cache") { try dataset(configuration, tokenizer, console) }
    }

    /// Tokenizes the texts.
    static func dataset(
        _ configuration: TrainingConfiguration, _ tokenizer: any Tokenizer, _ console: Console
    ) throws -> TokenDataset {
        let dataset = try TokenDataset(
            sources: configuration.data.files.map { URL(filePath: $0) }, tokenizer: tokenizer,
            heldOutFraction: configuration.data.heldOut
        ) { progress in
            console.progress(
                Double(progress.bytesDone) / Double(max(1, progress.bytesTotal)),
                "tokenizing \(progress.file): \(progress.bytesDone >> 20) of \(progress.bytesTotal >> 20) MiB")
        }
        for note in dataset.notes { console.line(note) }
        return dataset
    }
}
