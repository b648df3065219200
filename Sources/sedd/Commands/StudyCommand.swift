import ArgumentParser
import Files
import Foundation
import Presets
import SEDD
import Text
import Torch

struct StudyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "study",
        abstract: "Repeat the article's comparison at a size that fits: train, measure, report.",
        discussion: """
            Trains left-to-right, absorbing and uniform models of equal width, depth, data and steps, and a judge; then the \
            perplexity table, generative perplexity and entropy against steps for the samplers beside the left-to-right \
            model with and without a nucleus, and prefix, suffix and infilling by MAUVE. Writes report.md, CSV files, SVG \
            plots and configurations; started again with the same command, it goes on where it stopped.

            With --budget the training steps and the number of texts are chosen by trying a little of each; without it they \
            are those of the configuration and --count.

            Example:
              sedd study --config tiny-cpu --data war.txt peace.txt --output studies/books --budget 60
            """)

    @Option(help: ArgumentHelp("Configuration file, or the name of a preset.", valueName: "file|preset"))
    var config: String
    @Option(
        name: .customLong("set"), help: ArgumentHelp("Override one key; may be repeated.", valueName: "key.path=value"))
    var overrides: [String] = []
    @Option(parsing: .upToNextOption, help: ArgumentHelp("Texts or .bin files.", valueName: "file"))
    var data: [PathArgument] = []
    @Option(help: ArgumentHelp("Folder of the study.", valueName: "dir")) var output: PathArgument
    @Option(help: ArgumentHelp("Minutes for the whole study.", valueName: "minutes")) var budget: Double?
    @Option(help: ArgumentHelp("Texts of each setting; twice as many are prompted.", valueName: "N")) var count = 64
    @Option(parsing: .upToNextOption, help: ArgumentHelp("Reverse steps that are compared.", valueName: "S"))
    var steps: [Int] = [4, 8, 16, 32, 64, 128, 256, 512, 1024]
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Samplers that are compared, with settings as remask:eta=4,top_p=0.9; the first writes prompted texts.",
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
        guard (Mauve.fewest...Limits.count).contains(count) else {
            throw ValidationError("--count is \(count); expected \(Mauve.fewest) to \(Limits.count)")
        }
    }

    func run() throws {
        guard engine.precision == nil else {
            throw SEDDError(.usage, "a study computes in the standard precision of its device; leave --precision out")
        }
        let device = try engine.open()
        let console = Console()
        defer { console.finish() }
        let base = try TrainingInput.configuration(config, overrides: overrides, data: data)
        let tokenizer = try TrainingInput.makeTokenizer(base)
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
            case .stage(let name): console.line(name)
            case .training(_, let event): training.show(event)
            case .progress(let name, let share): console.progress(share, "\(name): \(Int(share * 100)) %")
            }
        }
        try study.run()
        console.finish()
        try StandardOutput.line(folder.appending(path: "report.md").path)
    }

    /// What is wanted. What a budget has decided in this folder stays; the study itself compares everything else.
    private func plan(
        _ base: TrainingConfiguration, _ folder: URL, heldOutBlocks: Int, _ tokenizer: any Tokenizer, _ device: Device,
        _ console: Console
    ) throws -> StudyPlan {
        var plan = StudyPlan(base: base)
        plan.steps = steps
        plan.samplers = try samplers.map { try SamplingSettings($0) }
        plan.count = count
        plan.promptedCount = 2 * count
        guard let budget else { return plan }
        if let known = try Study.plan(in: folder) {
            plan.budget = budget * 60
            plan.base.training.nIters = known.base.training.nIters
            (plan.count, plan.promptedCount) = (known.count, known.promptedCount)
            return plan
        }
        console.line("trying a little of each to see what \(budget) minutes are enough for")
        let fitted = try StudyBudget(seconds: budget * 60).fitted(
            plan, heldOutBlocks: heldOutBlocks, tokenizer: tokenizer, device: device)
        console.line("\(fitted.base.training.nIters) training steps, \(fitted.count) texts of each setting")
        return fitted
    }
}
