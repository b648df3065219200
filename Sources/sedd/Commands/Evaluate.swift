public import ArgumentParser
import Files
import Foundation
public import SEDD
import Text
import Torch

struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the likelihood of texts under a model: nats per token, perplexity, bits per byte.",
        discussion: """
            For a diffusion model, the upper bound with its three terms; with --convention published, the number in \
            published tables: the first term alone, over times from 1e-3 to 1. For an autoregressive model, the exact likelihood of \
            whole blocks; with --convention published, of all but each block's first token. Blocks do not overlap.

            With --order, the exact likelihood under a sampler that reveals positions in that order, at the cost of sampling, \
            without a bound or a judge. --positions reveals several at once, --gamma is the bound of entropy-bound.

            A name before a file selects that corpus's published preprocessing: \
            \(DataSetName.allCases.map { $0.rawValue + ":" }.joined(separator: " ")). Files are read as by \
            sedd train: rows of a JSON file (.jsonl, .json), texts separated by <|endoftext|> and plain files \
            are documents. An end of text follows each, documents are concatenated, and blocks are cut from the result. With \
            --last, files without a name are concatenated into one data set, as in training, and only its end is measured.

            Started by torchrun, srun or mpirun, several processes share the blocks; the results are those of one process.

            Examples:
              sedd evaluate --model DIR --data wikitext2:wiki.test.raw lambada:lambada_test.jsonl
              sedd evaluate --model DIR --data story.txt --order confidence --blocks 16
              sedd evaluate --model DIR --data story.txt --last 0.1 --time-samples 64 --state story.blocks --json
            """)

    @OptionGroup var options: ModelOptions
    @Option(parsing: .upToNextOption, help: ArgumentHelp("One or more data sets.", valueName: "[name:]file"))
    var data: [String] = []
    @Option(help: ArgumentHelp("Stratified times per block (default: 16).", valueName: "N")) var timeSamples: Int?
    @Option(help: ArgumentHelp("Tokens per block (default: the model's length).", valueName: "L"))
    var length: Int?
    @Option(help: ArgumentHelp("Number of blocks, spread evenly over the data (default: all).", valueName: "N"))
    var blocks: Int?
    @Option(
        help: ArgumentHelp("Only the last fraction of each data set, as training holds it out.", valueName: "share"))
    var last = 1.0
    @Option(help: ArgumentHelp("Seed of times and noise (default: 0).", valueName: "N")) var seed: Seed?
    @Option(help: ArgumentHelp("bound (three terms, the default) or published (the first only).", valueName: "name"))
    var convention: LikelihoodBound.Convention?
    @Option(
        help: ArgumentHelp(
            "Exact likelihood of this order: confidence, margin, entropy, left-to-right or entropy-bound.",
            valueName: "name"))
    var order: String?
    @Option(help: ArgumentHelp("With --order: positions revealed per evaluation.", valueName: "k")) var positions: Int?
    @Option(help: ArgumentHelp("With --order entropy-bound: the bound, in nats.", valueName: "x")) var gamma: Double?
    @Option(help: ArgumentHelp("Store finished blocks in this file, and resume from it.", valueName: "file"))
    var state: PathArgument?
    @Option(help: ArgumentHelp("Tokens per network pass.", valueName: "N")) var batchTokens = 4096
    @Flag(help: "Print one JSON object per data set.") var json = false
    @OptionGroup var processes: TeamOptions
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        guard !data.isEmpty else { throw ValidationError("--data is missing; expected one or more data sets") }
        for (name, value) in [
            ("time-samples", timeSamples ?? 1), ("length", length ?? 1), ("blocks", blocks ?? 1),
            ("batch-tokens", batchTokens), ("positions", positions ?? 1),
        ] where !(1...Limits.count).contains(value) {
            throw ValidationError("--\(name) is \(value); expected 1 to \(Limits.count)")
        }
        guard order != nil || (positions == nil && gamma == nil) else {
            throw ValidationError("--positions and --gamma require --order; add it, or leave them out")
        }
        guard order == nil || (timeSamples == nil && seed == nil && convention == nil) else {
            throw ValidationError(
                "--time-samples, --seed and --convention belong to the bound; the likelihood of an --order is exact: leave them out"
            )
        }
        guard last > 0, last <= 1 else { throw ValidationError("--last is \(last); expected more than 0, at most 1") }
    }

    func run() async throws {
        try await processes.run { team in try await evaluate(team) }
    }

    private func evaluate(_ team: Team) async throws {
        // A misspelt data set is reported before the model is loaded.
        let specifications = try data.map { try DataSpecification($0) }
        let model = try await options.languageModel(engine, team: team)
        let tokenizer = try await options.makeTokenizer(for: model)
        let likelihood = try self.likelihood(of: model)
        let console = Console(isQuiet: !team.isFirst)
        Interruption.note()
        defer { console.finish() }
        let evaluation = try Evaluation(length: length ?? model.length, blocks: blocks)
        let texts = try sets(of: specifications).map { specifications in
            let text = try EvaluationText(specifications, tokenizer: tokenizer, lastShare: last) { progress in
                // Small files finish before a line about them could be read.
                guard progress.bytesTotal > 1 << 20 else { return }
                console.progress(
                    Double(progress.bytesDone) / Double(max(1, progress.bytesTotal)),
                    "tokenizing \(progress.file): \(progress.bytesDone >> 20) of \(progress.bytesTotal >> 20) MiB")
            }
            for note in text.notes { console.line(note) }
            try text.requireBlock(of: evaluation.length)
            return text
        }
        try team.requireSame(
            [
                ("the fingerprint of the weights", try model.weights.fingerprint()),
                ("the likelihood", try ReportJSON.line(likelihood.settings)),
                ("the data", texts.map { "\($0.specification), \($0.count) tokens" }.joined(separator: "; ")),
                ("the length and the blocks", "\(evaluation.length), \(blocks.map { "\($0)" } ?? "all")"),
                ("--batch-tokens", "\(batchTokens)"), ("--state", state == nil ? "not given" : "given"),
            ], "what is evaluated")
        for text in texts {
            let log = try (team.isFirst ? state : nil).map {
                try EvaluationLog(
                    $0.url, weights: model.weights,
                    model: String(decoding: model.configurationData(), as: UTF8.self), text: text,
                    length: evaluation.length, settings: likelihood.settings)
            }
            let start = ContinuousClock.now
            let report = try evaluation.run(
                text, likelihood, log: log, team: team, shouldStop: { Interruption.wasAsked }
            ) {
                let perBlock = (ContinuousClock.now - start) / .seconds(1) / Double(max(1, $0.done - $0.kept))
                let left = perBlock * Double($0.total - $0.done)
                console.progress(
                    Double($0.done) / Double($0.total),
                    "\(text.specification): block \($0.done)/\($0.total)  \(String(format: "%.3f", $0.mean)) nats/token  \(Console.duration(left)) left",
                    always: $0.done == $0.total)
            }
            console.finish()
            guard team.isFirst else { continue }
            let lines = json ? [try report.json()] : report.lines
            try StandardOutput.write(Array((lines.joined(separator: "\n") + "\n").utf8))
        }
    }

    /// The data sets to measure: each by itself, or with --last the files that training would concatenate.
    private func sets(of specifications: [DataSpecification]) -> [[DataSpecification]] {
        guard last < 1 else { return specifications.map { [$0] } }
        let files = specifications.filter { $0.name == nil }
        return (files.isEmpty ? [] : [files]) + specifications.filter { $0.name != nil }.map { [$0] }
    }

    private func likelihood(of model: LanguageModel) throws -> any BlockLikelihood {
        switch model {
        case .diffusion(let network) where order != nil:
            try OrderLikelihood(network: network, sampling: sampling(), tokensPerBatch: batchTokens)
        case .autoregressive where order != nil:
            throw SEDDError(.usage, "--order requires a diffusion model; the order of an autoregressive model is fixed")
        case .diffusion(let network):
            try LikelihoodBound(
                network: network, convention: convention ?? .bound, timesPerBlock: timeSamples ?? 16,
                seed: seed?.value ?? 0, tokensPerBatch: batchTokens)
        case .autoregressive where timeSamples != nil || seed != nil:
            throw SEDDError(
                .usage,
                "--time-samples and --seed belong to the bound of a diffusion model; this model is autoregressive, and its likelihood exact: leave them out"
            )
        case .autoregressive(let network):
            ExactLikelihood(
                network: network, convention: convention == .published ? .published : .exact,
                tokensPerBatch: batchTokens)
        }
    }
}

extension Evaluate {
    /// The sampler given by --order.
    private func sampling() -> SamplingSettings {
        var settings = SamplingSettings(method: order ?? "")
        if let gamma { settings.own["gamma"] = .number(gamma) }
        if let positions { settings.own["positions"] = .number(Double(positions)) }
        // One position per evaluation by default: the law closest to the model's own.
        if positions == nil, order != "entropy-bound" { settings.own["positions"] = .number(1) }
        return settings
    }
}

extension LikelihoodBound.Convention: ExpressibleByArgument {}
