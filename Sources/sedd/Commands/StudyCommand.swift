import ArgumentParser
import Files
import Foundation
import Presets
import SEDD
import Text
import Torch

struct StudyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "study",
        abstract: "Repeat the paper's comparison at a size that fits the machine: train, measure, report.",
        discussion: """
            Trains autoregressive, absorbing and uniform models of equal width, depth, data and steps, and a judge. Measures \
            perplexity; generative perplexity and entropy against steps for each sampler, beside the autoregressive model with \
            and without nucleus sampling; and prefix, suffix and infilling prompts by MAUVE. Writes report.md, CSV files, SVG \
            plots and configurations. Run the same command again to resume an interrupted study. --precision is that of \
            training the diffusion models; everything else computes in the standard precision of the device.

            With --budget, training steps and the number of texts are chosen by timing a few of each; otherwise they are those \
            of the configuration and --count.

            Example:
              sedd study --config tiny-cpu --data war.txt peace.txt --output studies/books --budget 60
            """)

    @Option(help: ArgumentHelp("Configuration file or preset.", valueName: "file|preset"))
    var config: String
    @Option(
        name: .customLong("set"), help: ArgumentHelp("Override one key; repeatable.", valueName: "key.path=value"))
    var overrides: [String] = []
    @Option(parsing: .upToNextOption, help: ArgumentHelp("Text files or .bin files.", valueName: "file"))
    var data: [PathArgument] = []
    @Option(help: ArgumentHelp("Folder of the study.", valueName: "dir")) var output: PathArgument
    @Option(help: ArgumentHelp("Minutes for the whole study.", valueName: "minutes")) var budget: Double?
    @Option(help: ArgumentHelp("Texts per setting.", valueName: "N")) var count = 64
    @Option(help: ArgumentHelp("Prompted texts per setting (default: twice --count).", valueName: "N"))
    var promptCount: Int?
    @Option(help: ArgumentHelp("Steps of prompted texts.", valueName: "S")) var promptSteps = 128
    @Option(parsing: .upToNextOption, help: ArgumentHelp("Step counts to compare.", valueName: "S"))
    var steps: [Int] = [4, 8, 16, 32, 64, 128, 256, 512, 1024]
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Samplers to compare, with settings such as remask:eta=4,top_p=0.9; the first is used for prompts.",
            valueName: "name"))
    var samplers: [String] = ["analytic", "euler"]
    @OptionGroup var engine: EngineOptions

    /// A year, in minutes.
    private static let longest = 525_600.0

    func validate() throws {
        guard budget ?? 1 > 0, budget ?? 1 <= Self.longest else {
            throw ValidationError("--budget is \(budget ?? 0); expected more than 0 minutes, at most \(Self.longest)")
        }
        guard !steps.isEmpty, steps.allSatisfy({ (1...Limits.count).contains($0) }) else {
            throw ValidationError("--steps is \(steps); expected numbers from 1 to \(Limits.count)")
        }
        for (name, value) in [("--count", count), ("--prompt-count", promptCount ?? 2 * min(count, Limits.count / 2))] {
            guard (Mauve.fewest...Limits.count).contains(value) else {
                throw ValidationError("\(name) is \(value); expected \(Mauve.fewest) to \(Limits.count)")
            }
        }
        guard (1...Limits.count).contains(promptSteps) else {
            throw ValidationError("--prompt-steps is \(promptSteps); expected 1 to \(Limits.count)")
        }
        guard budget == nil || promptCount == nil else {
            throw ValidationError("--budget chooses the number of prompted texts; leave --prompt-count out")
        }
    }

    func run() async throws {
        let device = try engine.open(for: .training)
        let console = Console()
        defer { console.finish() }
        let base = try await TrainingInput.configuration(config, overrides: overrides, data: data)
        let tokenizer = try await TrainingInput.makeTokenizer(base)
        let dataset = try TrainingInput.dataset(base, tokenizer, console)
        try dataset.training.requireBlock(of: base.model.length)
        let folder = output.url
        let blocks = dataset.heldOut.count / base.model.length
        let plan = try self.plan(base, folder, heldOutBlocks: blocks, tokenizer, device, console)
        Interruption.note()
        var training = TrainingReport(console: console)
        let study = try Study(
            plan, folder: folder, dataset: dataset, tokenizer: tokenizer, device: device,
            shouldStop: { Interruption.wasAsked }
        ) { event in
            switch event {
            case .stage(let name):
                console.line(name)
                training = TrainingReport(console: console)  // each run has its own averages
            case .training(_, let event): training.show(event)
            case .progress(let name, let share): console.progress(share, "\(name): \(Int(share * 100)) %")
            }
        }
        try study.run()
        console.finish()
        try StandardOutput.line(folder.appending(path: "report.md").path)
    }

    /// The requested plan. Values that a budget determined in this folder are kept; the study itself compares
    /// everything else.
    private func plan(
        _ base: TrainingConfiguration, _ folder: URL, heldOutBlocks: Int, _ tokenizer: any Tokenizer, _ device: Device,
        _ console: Console
    ) throws -> StudyPlan {
        var plan = StudyPlan(base: base)
        plan.steps = steps
        plan.samplers = try samplers.map { try SamplingSettings($0) }
        plan.count = count
        plan.promptedCount = promptCount ?? 2 * count
        plan.promptedSteps = promptSteps
        plan.precision = engine.precision
        guard let budget else { return plan }
        if let known = try Study.plan(in: folder) {
            plan.budget = budget * 60
            plan.base.training.nIters = known.base.training.nIters
            (plan.count, plan.promptedCount) = (known.count, known.promptedCount)
            return plan
        }
        console.line("timing a few training and sampling steps to fill \(budget) minutes")
        let fitted = try StudyBudget(seconds: budget * 60).fitted(
            plan, heldOutBlocks: heldOutBlocks, tokenizer: tokenizer, device: device)
        console.line("\(fitted.base.training.nIters) training steps, \(fitted.count) texts per setting")
        return fitted
    }
}
