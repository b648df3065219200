import ArgumentParser
import Files
import Foundation
import SEDD
import Text
import Torch

struct Profile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how much tokens depend on each other, for --grid profile.",
        discussion: """
            Masks random fractions of held-out text and measures the entropy of a masked position, in nats, as a function of the \
            fraction of positions that are known. The result is written beside the model as profile.json; sample and serve then offer the grid 'profile', \
            which spends its steps where positions depend on each other most.

            Example:
              sedd profile --model DIR --data story.txt --last 0.1
            """)

    @OptionGroup var options: ModelOptions
    @Option(help: ArgumentHelp("Data set.", valueName: "[name:]file")) var data: String
    @Option(help: ArgumentHelp("Number of blocks, spread evenly over the data.", valueName: "N")) var blocks = 64
    @Option(help: ArgumentHelp("Tokens per block (default: the model's length).", valueName: "L"))
    var length: Int?
    @Option(help: ArgumentHelp("Only the last fraction of the data, as training holds it out.", valueName: "share"))
    var last = 1.0
    @Option(help: ArgumentHelp("Number of known fractions from 0 to 1.", valueName: "N")) var shares = 33
    @Option(help: ArgumentHelp("Seed of the masks.", valueName: "N")) var seed: Seed = 0
    @Flag(help: "Print the profile as one JSON object.") var json = false
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        for (name, value) in [("blocks", blocks), ("length", length ?? 1)] where !(1...Limits.count).contains(value) {
            throw ValidationError("--\(name) is \(value); expected 1 to \(Limits.count)")
        }
        guard (2...1024).contains(shares) else { throw ValidationError("--shares is \(shares); expected 2 to 1024") }
        guard last > 0, last <= 1 else { throw ValidationError("--last is \(last); expected more than 0, at most 1") }
    }

    func run() async throws {
        let specification = try DataSpecification(data)
        let model = try await options.languageModel(engine)
        let tokenizer = try await options.makeTokenizer(for: model)
        let measurement = try ProfileMeasurement(network: model.diffusion(), knots: shares, seed: seed.value)
        let console = Console()
        Interruption.note()
        defer { console.finish() }
        let text = try EvaluationText(specification, tokenizer: tokenizer, lastShare: last) { _ in }
        let length = length ?? model.length
        try text.requireBlock(of: length)
        let whole = text.count / length
        let wanted = min(blocks, whole)
        let chosen = try (0..<wanted).map { try text.block($0 * whole / wanted, length: length) }
        let profile = try measurement.profile(chosen) { done in
            guard !Interruption.wasAsked else { throw SEDDError(.interrupted, "stopped; nothing was written") }
            console.progress(done, "profile: \(Int(done * 100)) %")
        }
        console.finish()
        let folder = try await options.find().place.containingFolder
        try profile.save(in: folder)
        var lines: [String] = []
        if json {
            lines = [try JSON.text(profile)]
        } else {
            lines = [
                "\(wanted) blocks of \(length); written to \(InformationProfile.file(in: folder).path)",
                "  known  nats per position",
            ]
            for (index, nats) in profile.nats.enumerated() {
                let share = Double(index) / Double(profile.nats.count - 1)
                lines.append(String(format: "  %5.3f  %.4f", share, nats))
            }
        }
        try StandardOutput.write(Array((lines.joined(separator: "\n") + "\n").utf8))
    }
}
