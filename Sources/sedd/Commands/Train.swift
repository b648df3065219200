import ArgumentParser
import Files
import Foundation
import Presets
import SEDD
import Text
import Torch

struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a model on texts; Ctrl-C saves, --resume continues.",
        discussion: """
            Presets: \(Presets.names.joined(separator: ", ")). Texts are UTF-8: plain, with <|endoftext|> between documents, or JSON \
            rows with a 'text' (.jsonl, .json); files ending in .bin hold token ids. An end of text follows each document.

            With --resume, the run in --output continues from its newest checkpoint, or starts if there is none, so the same \
            command can be repeated until the run is finished. Options that differ from the previous ones are applied, \
            reported and stored in run.yaml; those that would change the meaning of the weights are refused.

            Examples:
              sedd train --config tiny-cpu --data story.txt --output runs/story
              sedd train --config tiny-cpu --set training.n_iters=500 --set graph.type=uniform --data a.txt b.txt --output runs/u
              sedd train --config tiny-cpu --set model=autoregressive --data story.txt --output runs/baseline
              sedd train --from runs/story --data poems.txt --set training.n_iters=500 --output runs/poems
              sedd train --resume --output runs/story
            """)

    @Option(help: ArgumentHelp("Configuration file or preset.", valueName: "file|preset"))
    var config: String?
    @Option(
        name: .customLong("set"), help: ArgumentHelp("Override one key; repeatable.", valueName: "key.path=value"))
    var overrides: [String] = []
    @Option(parsing: .upToNextOption, help: ArgumentHelp("Text files or .bin files.", valueName: "file"))
    var data: [PathArgument] = []
    @Option(
        help: ArgumentHelp(
            "Start from the weights of this model or run, or of ORG/NAME on the hub; without --config, also use its shape.",
            valueName: "model"))
    var from: PathArgument?
    @Option(help: ArgumentHelp("Run folder.", valueName: "dir")) var output: PathArgument
    @Flag(help: "Continue the run in --output from its newest checkpoint, or start it with --config and --data.")
    var resume = false
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        guard config != nil || from != nil || resume else {
            throw ValidationError(
                "--config is missing; name a file or a preset: \(Presets.names.joined(separator: ", "))")
        }
    }

    func run() async throws {
        let run = RunFolder(output.url)
        if !resume { try run.requireNone() }
        let start = try await RunStart(run, config: config, from: from, overrides: overrides, data: data)
        // A folder that does not exist is created only once there is something to train on.
        var lock = run.exists ? try run.lock() : nil
        let device = try engine.open(before: start.record?.device)
        let precision = try Precision.resolved(
            engine.precision ?? (start.record?.device == device.description ? start.record?.precision : nil), on: device
        )
        let console = Console()
        defer { console.finish() }
        let tokenizer = try await start.makeTokenizer()
        let dataset = try TrainingInput.dataset(start.configuration, tokenizer, console)
        try dataset.training.requireBlock(of: start.configuration.model.length)
        if lock == nil {
            lock = try run.lock()
            try run.requireNone()
        }
        defer { withExtendedLifetime(lock) {} }
        for line in try start.begin(dataset, tokenizer, device, precision) { console.line(line) }
        let trainer = try Trainer(
            start.configuration, run: run, dataset: dataset, tokenizer: tokenizer, device: device, precision: precision)
        console.line(
            "\(trainer.weights.layout.parameters) weights, \(dataset.training.count) training and \(dataset.heldOut.count) held-out tokens of \(tokenizer.kind), vocabulary \(tokenizer.vocabularySize)"
        )
        var report = TrainingReport(console: console)
        Interruption.note()
        try trainer.train(shouldStop: { Interruption.wasAsked }) { report.show($0) }
    }
}
