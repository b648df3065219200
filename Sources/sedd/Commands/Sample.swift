import ArgumentParser
import Files
import Foundation
import SEDD
import Text
import Torch

struct Sample: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Generate text from noise, or fill the holes of a template.",
        discussion: """
            In a template, [[12]] is a hole of twelve tokens, [[*]] fills the rest of --length, [[end]] is the end of text, and \
            \\[ a literal [. If a template without [[*]] is shorter than --length, text is also generated after its end. An \
            autoregressive model takes only a prefix, and uses --temperature, --top-k and --top-p but no steps. The printed text \
            ends at its first end of text, if the tokenizer has one; the recorded tokens are the whole sequence.

            \(SamplingOptions.help)

            Started by torchrun, srun or mpirun, several processes share the sequences; the first prints them in order.

            Examples:
              sedd sample --model stories --show
              sedd sample --model DIR --template 'Once upon a time[[*]]happily ever after.' --steps 64
              sedd sample --model DIR --count 100 --seed 7 --jsonl > samples.jsonl
              sedd sample --model DIR --sampler entropy-bound --gamma 0.3 --top-p 0.95
              sedd sample --model openai-community/gpt2 --template 'Once upon a time[[*]]' --top-p 0.95
            """)

    @OptionGroup var options: ModelOptions
    @Option(help: ArgumentHelp("Number of sequences; their seeds count up from --seed.", valueName: "N")) var count = 1
    @Option(help: ArgumentHelp("Tokens per sequence (default: the model's or the template's length).", valueName: "L"))
    var length: Int?
    @OptionGroup var sampling: SamplingOptions
    @Option(help: ArgumentHelp("Seed, any 64-bit integer (default, or -1: drawn and printed).", valueName: "N"))
    var seed: Seed?
    @Option(help: ArgumentHelp("Text with holes.", valueName: "text")) var template: String?
    @Option(help: ArgumentHelp("Template as a JSON array of token ids and nulls.", valueName: "file"))
    var templateTokens: PathArgument?
    @Option(
        help: ArgumentHelp("Sequences per network evaluation; does not affect results.", valueName: "B"))
    var batch = 16
    @Flag(help: "Show the text while it forms.") var show = false
    @Flag(help: "On a CUDA device, launch kernels one by one instead of as a CUDA graph.") var noGraphs = false
    @Flag(help: "Print one JSON object per sequence.") var jsonl = false
    @OptionGroup var processes: TeamOptions
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        for (name, value) in [("count", count), ("batch", batch), ("length", length ?? 1)]
        where !(1...Limits.count).contains(value) {
            throw ValidationError("--\(name) is \(value); expected 1 to \(Limits.count)")
        }
        guard template == nil || templateTokens == nil else {
            throw ValidationError("--template and --template-tokens are mutually exclusive; choose one")
        }
    }

    func run() async throws {
        try await processes.run { team in try await sample(team) }
    }

    private func sample(_ team: Team) async throws {
        guard !show || team.size == 1 else {
            throw SEDDError(.usage, "--show is for one process; leave it out, or start one")
        }
        let settings = try sampling.settings()
        let model = try await options.languageModel(engine, team: team)
        let tokenizer = try await options.makeTokenizer(for: model)
        let positions = try self.positions(tokenizer, model.length)
        let given = seed.flatMap { $0.isDrawn ? nil : $0.value }
        try team.requireSame(
            [
                ("the fingerprint of the weights", try model.weights.fingerprint()),
                ("the template", positions.map { $0.map { "\($0)" } ?? "_" }.joined(separator: " ")),
                ("the settings", try ReportJSON.line(settings)), ("--seed", given.map { "\($0)" } ?? "drawn"),
                ("--count and --batch", "\(count), \(batch)"), ("--jsonl", "\(jsonl)"),
            ], "what is sampled")
        let first = try team.broadcast(given ?? UInt64.random(in: 0..<1 << 32), "seed")
        if given == nil && !jsonl && team.isFirst { StandardError.write("seed \(first)\n") }
        switch model {
        case .diffusion(let network):
            let sampler = try await Sampler(
                network: network, profile: InformationProfile.beside(model: options.find().place.containingFolder),
                capturesCUDAGraphs: !noGraphs)
            try await diffuse(sampler, settings, positions, tokenizer, first: first, team)
        case .autoregressive(let network): try writeOn(network, positions, tokenizer, first: first, team)
        }
    }

    private func diffuse(
        _ sampler: Sampler, _ settings: SamplingSettings, _ positions: [Int?], _ tokenizer: any Tokenizer,
        first: UInt64,
        _ team: Team
    ) async throws {
        let network = sampler.network
        for share in shares(team, length: positions.count) {
            let requests = share.map {
                Sampler.Request(template: positions, seed: first &+ UInt64($0), settings: settings)
            }
            let clock = ContinuousClock.now
            var last: [Trajectory] = []
            let screen = show ? TrajectoryScreen(tokenizer: tokenizer, mask: sampler.process.graph.mask) : nil
            for try await trajectories in try sampler.states(requests) {
                last = trajectories
                if let shown = trajectories.first { try screen?.show(shown) }
            }
            let seconds = (ContinuousClock.now - clock) / .seconds(1)
            try write(last, from: share.lowerBound, team) { trajectory in
                let text = try tokenizer.text(ofSample: trajectory.states.map { Int32($0) })
                return SampleRecord(
                    trajectory, text: text, seconds: seconds / Double(last.count), precision: network.weights.precision)
            }
        }
    }

    private func writeOn(
        _ network: AutoregressiveNetwork, _ positions: [Int?], _ tokenizer: any Tokenizer, first: UInt64,
        _ team: Team
    ) throws {
        let prefix = positions.prefix { $0 != nil }.compactMap { $0 }
        guard positions.dropFirst(prefix.count).allSatisfy({ $0 == nil }) else {
            throw SEDDError(
                .usage, "an autoregressive model takes only a prefix; end the template in [[*]]")
        }
        guard !show, !sampling.saysDiffusion else {
            throw SEDDError(
                .usage,
                "--show, --sampler, --steps, --grid and sampler settings require a diffusion model; leave them out")
        }
        let sampler = AutoregressiveSampler(
            network: network, choice: try TokenChoice(sampling.filter), vocabulary: tokenizer.vocabularySize)
        for share in shares(team, length: positions.count) {
            let seeds = share.map { first &+ UInt64($0) }
            let clock = ContinuousClock.now
            let sequences = try sampler.sample(
                seeds.map { .init(prefix: prefix, seed: $0) }, length: positions.count)
            let seconds = (ContinuousClock.now - clock) / .seconds(1)
            try write(Array(zip(seeds, sequences)), from: share.lowerBound, team) { seed, tokens in
                let written = tokens.count - prefix.count
                return SampleRecord(
                    text: try tokenizer.text(ofSample: tokens.map { Int32($0) }), tokens: tokens, seed: seed,
                    settings: SamplingSettings(method: "left-to-right", steps: written, filter: sampling.filter),
                    networkEvaluations: written, seconds: seconds / Double(sequences.count), precision: .float32)
            }
        }
    }

    private func positions(_ tokenizer: any Tokenizer, _ modelLength: Int) throws -> [Int?] {
        if let templateTokens {
            let ids: [Int?]
            do { ids = try JSON.decode(contentsOf: templateTokens.url) } catch {
                throw SEDDError(error.kind, "\(error.description); expected a JSON array of ids and nulls")
            }
            guard ids.count <= Limits.count else {
                throw SEDDError(
                    .usage, "\(templateTokens.text): has \(ids.count) entries; expected at most \(Limits.count)")
            }
            guard length == nil || length == ids.count else {
                throw SEDDError(
                    .usage, "\(templateTokens.text): has \(ids.count) entries, but --length is \(length ?? 0)")
            }
            return ids
        }
        return try Template(template ?? "[[*]]").positions(
            tokenizer: tokenizer, length: length, modelLength: modelLength)
    }

    /// Maximum tokens per network evaluation, unless a single sequence has more.
    private static let tokensAtOnce = 1 << 18

    /// The batches of this process: equally many in every process, the last ones possibly empty.
    private func shares(_ team: Team, length: Int) -> [Range<Int>] {
        // Results do not depend on the batch, only memory does.
        let batch = show ? 1 : min(batch, max(1, Self.tokensAtOnce / max(1, length)))
        return stride(from: 0, to: count, by: batch * team.size).map { start in
            let first = min(start + batch * team.rank, count)
            return first..<min(first + batch, count)
        }
    }

    /// Writes the results of one batch of each process, in the order of their numbers.
    private func write<Result>(
        _ results: [Result], from index: Int, _ team: Team, record: (Result) throws -> SampleRecord
    ) throws {
        var bytes: [UInt8] = []
        for (offset, result) in results.enumerated() {
            let line = try text(record(result), index: index + offset)
            if team.size == 1 { try StandardOutput.write(line) } else { bytes += line }
        }
        guard team.size > 1 else { return }
        let all = try team.gathered(bytes, "samples")
        if team.isFirst { try StandardOutput.write(Array(all.joined())) }
    }

    private func text(_ record: SampleRecord, index: Int) throws -> [UInt8] {
        if jsonl {
            return try JSON.encode(record) + [UInt8(ascii: "\n")]
        }
        // On a terminal that has shown the sequence form, its last state is the result.
        if show, Terminal.redraws, isatty(STDOUT_FILENO) == 1 { return [] }
        let title = count > 1 ? "--- \(index + 1) of \(count), seed \(record.seed ?? 0)\n" : ""
        return Array((title + record.text + "\n").utf8)
    }
}
