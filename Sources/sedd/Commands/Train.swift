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

            Started by torchrun, srun or mpirun, or with RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT set, several processes share \
            the sequences of each step (docs/TRAINING.md). Exit code 75 means that one of them, or the network, failed: start the \
            same command again with --resume.

            Examples:
              sedd train --config tiny-cpu --data story.txt --output runs/story
              sedd train --config tiny-cpu --set training.n_iters=500 --set graph.type=uniform --data a.txt b.txt --output runs/u
              sedd train --config tiny-cpu --set model=autoregressive --data story.txt --output runs/baseline
              sedd train --from runs/story --data poems.txt --set training.n_iters=500 --output runs/poems
              sedd train --resume --output runs/story
              torchrun --no-python --nproc-per-node 4 sedd train --resume --output runs/story
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
    @Option(
        help: ArgumentHelp("Type of gradients sent between processes: float32 or bfloat16.", valueName: "type"))
    var gradientSums = GradientSums.Precision.float32
    @Flag(
        help:
            "Sum gradients sequence by sequence, in order: slow, but identical for any number of processes."
    )
    var sumsInOrder = false
    @OptionGroup var processes: TeamOptions
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        guard config != nil || from != nil || resume else {
            throw ValidationError(
                "--config is missing; name a file or a preset: \(Presets.names.joined(separator: ", "))")
        }
    }

    func run() async throws {
        try await processes.run { team in try await train(team) }
    }

    private func train(_ team: Team) async throws {
        try team.requireSame(asked, "options of the command")
        let run = RunFolder(output.url)
        let start = try await RunStart(run, shared: team, data: data) {
            if !resume { try run.requireNone() }
            return try await RunStart(run, config: config, from: from, overrides: overrides, data: data)
        }
        // A folder that does not exist is created only once there is something to train on.
        var lock = run.exists && team.isFirst ? try run.lock() : nil
        let device = try engine.open(before: start.record?.device, team: team, for: .training)
        let precision = try Precision.resolved(
            engine.precision ?? (start.record?.device == device.description ? start.record?.precision : nil),
            on: device, for: .training)
        let console = Console(isQuiet: !team.isFirst)
        defer { console.finish() }
        let tokenizer = try await start.makeTokenizer()
        let dataset = try await TrainingInput.dataset(start.configuration, tokenizer, console, team)
        try dataset.training.requireBlock(of: start.configuration.model.length)
        if team.isFirst, lock == nil {
            lock = try run.lock()
            try run.requireNone()
        }
        defer { withExtendedLifetime(lock) {} }
        try team.requireSame(
            [
                ("the tokenizer's fingerprint", tokenizer.fingerprint),
                ("the tokens of the data", "\(dataset.all.count)"),
                ("the fingerprint of the data", try dataset.all.fingerprint()),
                ("the device", device.kind.rawValue), ("the precision", precision.rawValue),
            ], "what is trained on")
        if team.isFirst {
            for line in try start.begin(dataset, tokenizer, device, precision) { console.line(line) }
        }
        var sums = GradientSums()
        (sums.precision, sums.inOrder) = (gradientSums, sumsInOrder)
        let trainer = try Trainer(
            start.configuration, run: run, dataset: dataset, tokenizer: tokenizer, device: device, precision: precision,
            team: team, sums: sums)
        console.line(
            "\(trainer.weights.layout.parameters) weights, \(dataset.training.count) training and \(dataset.heldOut.count) held-out tokens of \(tokenizer.kind), vocabulary \(tokenizer.vocabularySize)"
        )
        if let launch = team.launch {
            console.line(
                "\(launch.size) processes (\(launch.launcher.rawValue)) share \(start.configuration.training.batchSize) sequences a step; they meet at \(launch.host):\(launch.port)"
            )
        }
        var report = TrainingReport(console: console)
        Interruption.note()
        try trainer.train(shouldStop: { Interruption.wasAsked }) { report.show($0) }
    }

    /// The options that must be equal in all processes. Paths may differ between machines.
    private var asked: [(name: String, value: String)] {
        get throws {
            var named = try config.map { try TrainingInput.resolved($0, overrides: overrides) }
            named?.data.files = []
            return [
                ("the version", Version.text), ("--resume", "\(resume)"),
                ("--gradient-sums", gradientSums.rawValue), ("--sums-in-order", "\(sumsInOrder)"),
                ("--set", overrides.joined(separator: " ")),
            ] + (try named.map { try ConfigurationFile.values(of: $0) } ?? [])
        }
    }
}
