import ArgumentParser
import Files
import Foundation
import SEDD

struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a model's log-scores, losses and step weights for given states, to compare implementations.",
        discussion: """
            IN holds t float32 [B], xt int64 [B, L] and optionally x0. OUT receives sigma, sigma_rate and log_score; with x0 \
            also score_entropy and loss; with --step-size also euler_probs, analytic_probs and denoise_probs, unclamped; for a network of \
            clean tokens also log_clean, the log-probability of each.

            Example:
              sedd inspect --model DIR --input states.safetensors --output scores.safetensors --step-size 0.01
            """)

    @Option(help: ArgumentHelp("A model folder, a run, a bundled name, or ORG/NAME of the hub.", valueName: "model"))
    var model: String
    @Option(help: ArgumentHelp("Safetensors file with t, xt and optionally x0.", valueName: "file")) var input:
        PathArgument
    @Option(help: ArgumentHelp("Safetensors file to write.", valueName: "file")) var output: PathArgument
    @Option(help: ArgumentHelp("Also write the weights of one reverse step of this size.", valueName: "dt"))
    var stepSize: Double?
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        if let stepSize, !(stepSize > 0 && stepSize <= 1) {
            throw ValidationError("--step-size is \(stepSize); expected more than 0 and at most 1")
        }
    }

    func run() async throws {
        let found = try await ModelFinder.shared.find(model)
        let loaded = try LanguageModel.load(
            found.place, device: engine.open(), precision: engine.precision, note: Console.note)
        guard case .diffusion(let network) = loaded else {
            throw SEDDError(.usage, "\(model): an autoregressive model; expected a diffusion model")
        }
        try Inspection(network: network).run(
            input: input.url, output: output.url, stepSize: stepSize)
    }
}
