import ArgumentParser
import Foundation
import Presets
import SEDD
import Text
import Torch

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a model on texts; Ctrl-C saves, --resume continues.",
        discussion: """
            Presets: \(Presets.names.joined(separator: ", ")). Texts are UTF-8; files ending in .bin hold uint16 tokens.

            Examples:
              sedd train --config tiny-cpu --data story.txt --output runs/story
              sedd train --config tiny-cpu --set training.n_iters=500 --set graph.type=uniform --data a.txt b.txt --output runs/u
              sedd train --config tiny-cpu --set model=autoregressive --data story.txt --output runs/baseline
              sedd train --resume --output runs/story
            """)

    @Option(help: ArgumentHelp("Configuration file, or the name of a preset.", valueName: "file|preset"))
    var config: String?
    @Option(
        name: .customLong("set"), help: ArgumentHelp("Override one key; may be repeated.", valueName: "key.path=value"))
    var overrides: [String] = []
    @Option(parsing: .upToNextOption, help: ArgumentHelp("Texts or .bin files.", valueName: "file"))
    var data: [String] = []
    @Option(help: ArgumentHelp("Run folder.", valueName: "dir")) var output: String
    @Flag(help: "Continue the run in --output from its newest checkpoint.") var resume = false
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        if resume {
            guard config == nil, data.isEmpty else {
                throw ValidationError(
                    "--resume takes configuration and data from run.yaml; leave out --config and --data")
            }
        } else if config == nil {
            throw ValidationError(
                "--config is missing; name a file or a preset: \(Presets.names.joined(separator: ", "))")
        }
    }

    func run() throws {
        let device = try engine.open()
        let run = RunFolder(URL(filePath: output))
        let configuration = try resolved(run)
        if !resume { try run.requireNone() }
        let console = Console()
        let tokenizer = try TrainingInput.makeTokenizer(configuration)
        let dataset = try TrainingInput.dataset(configuration, tokenizer, console)
        try dataset.training.requireBlock(of: configuration.model.length)
        if !resume { try run.create(configuration) }
        let trainer = try Trainer(
            configuration, run: run, dataset: dataset, tokenizer: tokenizer, device: device,
            precision: engine.precision)
        trainer.sampler = { model, step in
            try TrainingSample(configuration, tokenizer).text(model, step: step)
        }
        console.line(
            "\(trainer.weights.layout.parameters) weights, \(dataset.training.count) training and \(dataset.heldOut.count) held-out tokens of \(tokenizer.kind), vocabulary \(tokenizer.vocabularySize)"
        )
        let interruption = Interruption()
        var report = TrainingReport(console: console)
        defer { console.finish() }
        try trainer.train(shouldStop: { interruption.wasAsked }) { report.show($0) }
    }

    /// The configuration of this run: from the run folder, or from --config, --set and --data.
    private func resolved(_ run: RunFolder) throws -> TrainingConfiguration {
        guard let config, !resume else {
            guard run.exists else {
                throw SEDDError(.missingInput, "\(output): no run.yaml here; start a run with --config and --data")
            }
            let stored = try run.configuration()
            guard !overrides.isEmpty else { return stored }
            return try ConfigurationFile.resolve(
                yaml: ConfigurationFile.yaml(stored), overrides: overrides, source: "\(output)/run.yaml")
        }
        return try TrainingInput.configuration(config, overrides: overrides, data: data)
    }
}
