import ArgumentParser
import Foundation
import SEDD
import Text
import Torch

struct Sample: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write text from noise, or fill the holes of a template.",
        discussion: """
            In a template [[12]] is twelve free tokens, [[*]] whatever fills --length, \\[[ a literal [[. A template \
            without [[*]] that is shorter than --length goes on freely after its end.

            Examples:
              sedd sample --model Models/gutenberg --show
              sedd sample --model DIR --template 'Once upon a time[[*]]happily ever after.' --steps 64
              sedd sample --model DIR --count 100 --seed 7 --jsonl > samples.jsonl
            """)

    @OptionGroup var options: ModelOptions
    @Option(help: ArgumentHelp("Sequences to write; seeds count up from --seed.", valueName: "N")) var count = 1
    @Option(help: ArgumentHelp("Tokens; the model's length or the template's unless given.", valueName: "L"))
    var length: Int?
    @Option(help: ArgumentHelp("Reverse steps, before the final denoising.", valueName: "S")) var steps = 128
    @Option(help: ArgumentHelp("\(Predictors.names.joined(separator: " or ")).", valueName: "name")) var sampler =
        "analytic"
    @Option(help: ArgumentHelp("Seed; drawn and told unless given.", valueName: "N")) var seed: UInt64?
    @Option(help: ArgumentHelp("Text with holes.", valueName: "text")) var template: String?
    @Option(help: ArgumentHelp("JSON array of ids and nulls.", valueName: "file")) var templateTokens: String?
    @Option(
        help: ArgumentHelp("Sequences that share a network evaluation; results do not depend on it.", valueName: "B"))
    var batch = 16
    @Flag(help: "Watch the positions settle.") var show = false
    @Flag(help: "Print one JSON object a sequence.") var jsonl = false
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        for (name, value) in [("count", count), ("steps", steps), ("batch", batch), ("length", length ?? 1)]
        where value < 1 {
            throw ValidationError("--\(name) is \(value); expected 1 or more")
        }
        guard template == nil || templateTokens == nil else {
            throw ValidationError("--template and --template-tokens were both given; choose one")
        }
    }

    func run() async throws {
        let predictor = try Predictors.named(sampler)
        let network = try options.network(on: engine.open())
        let tokenizer = try options.makeTokenizer(for: network)
        let positions = try self.positions(tokenizer, network)
        let first = seed ?? UInt64.random(in: 0..<1 << 32)
        let sampler = try Sampler(network: network, predictor: predictor)
        if seed == nil && !jsonl { FileHandle.standardError.write(Data("seed \(first)\n".utf8)) }
        for start in stride(from: 0, to: count, by: show ? 1 : batch) {
            let requests = (start..<min(start + (show ? 1 : batch), count)).map {
                Sampler.Request(template: positions, seed: first &+ UInt64($0), steps: steps)
            }
            let clock = ContinuousClock.now
            var last: [SequenceState] = []
            let screen =
                show ? TrajectoryScreen(tokenizer: tokenizer, mask: network.configuration.makeGraph().mask) : nil
            for try await states in try sampler.states(requests) {
                last = states
                if let shown = states.first { try screen?.show(shown) }
            }
            let seconds = (ContinuousClock.now - clock) / .seconds(1)
            for (index, state) in last.enumerated() {
                try write(state, tokenizer, index: start + index, seconds: seconds / Double(last.count))
            }
        }
    }

    private func positions(_ tokenizer: any Tokenizer, _ network: ScoreNetwork) throws -> [Int?] {
        let modelLength = network.configuration.model.length
        if let templateTokens {
            let url = URL(filePath: templateTokens)
            guard let data = try? Data(contentsOf: url) else {
                throw SEDDError(
                    .missingInput, "\(templateTokens): no such file; expected a JSON array of ids and nulls")
            }
            guard let ids = try? JSONDecoder().decode([Int?].self, from: data) else {
                throw SEDDError(.invalidData, "\(templateTokens): expected a JSON array of ids and nulls")
            }
            guard length == nil || length == ids.count else {
                throw SEDDError(
                    .usage, "\(templateTokens): it has \(ids.count) entries, but --length is \(length ?? 0)")
            }
            return ids
        }
        return try Template(template ?? "[[*]]").positions(
            tokenizer: tokenizer, length: length, modelLength: modelLength)
    }

    private func write(_ state: SequenceState, _ tokenizer: any Tokenizer, index: Int, seconds: Double) throws {
        let tokens = state.states.map(Int32.init)
        let text = try tokenizer.text(of: tokens)
        if jsonl {
            let line = SampleLine(
                text: text, tokens: tokens, seed: state.seed, steps: state.steps, sampler: sampler,
                networkEvaluations: state.networkEvaluations, seconds: seconds)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try StandardOutput.write([UInt8](encoder.encode(line)) + [UInt8(ascii: "\n")])
        } else if !(show && isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 1) {
            // On a terminal that has shown the sequence form, its last state is the result.
            let title = count > 1 ? "--- \(index + 1) of \(count), seed \(state.seed)\n" : ""
            try StandardOutput.write(Array((title + text + "\n").utf8))
        }
    }
}

/// A line of `sample --jsonl`.
struct SampleLine: Codable {
    let text: String
    let tokens: [Int32]
    let seed: UInt64
    let steps: Int
    let sampler: String
    let networkEvaluations: Int
    /// The batch's time, shared evenly.
    let seconds: Double
}
