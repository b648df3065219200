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

            Examples:
              sedd sample --model Models/gutenberg --show
              sedd sample --model DIR --template 'Once upon a time[[*]]happily ever after.' --steps 64
              sedd sample --model DIR --count 100 --seed 7 --jsonl > samples.jsonl
              sedd sample --model DIR --sampler entropy-bound --gamma 0.3 --top-p 0.95
              sedd sample --model gpt2 --tokenizer gpt2:gpt2 --template 'Once upon a time[[*]]' --top-p 0.95
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
        let settings = try sampling.settings()
        let model = try await options.languageModel(engine)
        let tokenizer = try await options.makeTokenizer(for: model)
        let positions = try self.positions(tokenizer, model.length)
        let given = seed?.orNilToDraw
        let first = given ?? UInt64.random(in: 0..<1 << 32)
        if given == nil && !jsonl { StandardError.write("seed \(first)\n") }
        switch model {
        case .diffusion(let network):
            let sampler = try await Sampler(
                network: network, profile: InformationProfile.beside(model: options.find().place),
                capturesCUDAGraphs: !noGraphs)
            try await diffuse(sampler, settings, positions, tokenizer, first: first)
        case .autoregressive(let network): try writeOn(network, positions, tokenizer, first: first)
        }
    }

    private func diffuse(
        _ sampler: Sampler, _ settings: SamplingSettings, _ positions: [Int?], _ tokenizer: any Tokenizer, first: UInt64
    ) async throws {
        let network = sampler.network
        for start in stride(from: 0, to: count, by: show ? 1 : batch) {
            let requests = (start..<min(start + (show ? 1 : batch), count)).map {
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
            for (index, trajectory) in last.enumerated() {
                let text = try tokenizer.text(ofSample: trajectory.states.map { Int32($0) })
                let record = SampleRecord(
                    trajectory, text: text, seconds: seconds / Double(last.count), precision: network.weights.precision)
                try write(record, index: start + index)
            }
        }
    }

    private func writeOn(
        _ network: AutoregressiveNetwork, _ positions: [Int?], _ tokenizer: any Tokenizer, first: UInt64
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
        for start in stride(from: 0, to: count, by: batch) {
            let seeds = (start..<min(start + batch, count)).map { first &+ UInt64($0) }
            let clock = ContinuousClock.now
            let sequences = try sampler.sample(
                seeds.map { .init(prefix: prefix, seed: $0) }, length: positions.count)
            let seconds = (ContinuousClock.now - clock) / .seconds(1)
            for (index, tokens) in sequences.enumerated() {
                let written = tokens.count - prefix.count
                let record = SampleRecord(
                    text: try tokenizer.text(ofSample: tokens.map { Int32($0) }), tokens: tokens, seed: seeds[index],
                    settings: SamplingSettings(method: "left-to-right", steps: written, filter: sampling.filter),
                    networkEvaluations: written, seconds: seconds / Double(sequences.count), precision: .float32)
                try write(record, index: start + index)
            }
        }
    }

    private func positions(_ tokenizer: any Tokenizer, _ modelLength: Int) throws -> [Int?] {
        if let templateTokens {
            let ids: [Int?]
            do { ids = try JSON.decode(contentsOf: templateTokens.url) } catch {
                throw SEDDError(error.kind, "\(error.description); expected a JSON array of ids and nulls")
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

    private func write(_ record: SampleRecord, index: Int) throws {
        if jsonl {
            try StandardOutput.write(JSON.encode(record) + [UInt8(ascii: "\n")])
        } else if !(show && Terminal.redraws && isatty(STDOUT_FILENO) == 1) {
            // On a terminal that has shown the sequence form, its last frame is the result.
            let title = count > 1 ? "--- \(index + 1) of \(count), seed \(record.seed ?? 0)\n" : ""
            try StandardOutput.write(Array((title + record.text + "\n").utf8))
        }
    }
}
