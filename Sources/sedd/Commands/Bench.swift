import ArgumentParser
import Files
import Foundation
import SEDD
import Torch

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Time a training step and a sampling step, relative to the machine's matrix products.",
        discussion: """
            A roofline of 1 means that a step takes only as long as its matrix products. On a CUDA device their speed is \
            measured with larger ones, 8192 x 8192 x 8192, in the precision of the trunk.

            Example:
              sedd bench --tokens 66 --hidden 384 --heads 6 --blocks 6 --length 256 --batch 8
            """)

    @Option(help: ArgumentHelp("Vocabulary size.", valueName: "n")) var tokens = 27
    @Option(help: ArgumentHelp("Hidden size.", valueName: "d")) var hidden = 192
    @Option(help: ArgumentHelp("Attention heads.", valueName: "h")) var heads = 4
    @Option(help: ArgumentHelp("Blocks.", valueName: "N")) var blocks = 4
    @Option(help: ArgumentHelp("Sequence length.", valueName: "L")) var length = 128
    @Option(help: ArgumentHelp("Batch size.", valueName: "B")) var batch = 16
    @Option(help: ArgumentHelp("Fraction of masked positions in the sampling step.", valueName: "share")) var masked =
        0.5
    @Option(help: ArgumentHelp("Measure only one kind of step: train or sample.", valueName: "kind"), transform: kind)
    var only: Benchmark.Step?
    @Option(help: ArgumentHelp("Optimizer: adamw or muon.", valueName: "name"), transform: optimizer)
    var optimizer = TrainingConfiguration.Optimizer.Kind.adamw
    @Option(help: ArgumentHelp("Timed steps of each kind, after a warm-up step.", valueName: "R")) var repeats = 5
    @Flag(help: "On a CUDA device, launch kernels one by one instead of as a CUDA graph.")
    var noGraphs = false
    @Flag(help: "Print one JSON object.") var json = false
    @OptionGroup var engine: EngineOptions

    private static func kind(_ name: String) throws -> Benchmark.Step {
        guard let kind = Benchmark.Step(rawValue: name) else {
            throw ValidationError("--only is '\(name)'; expected train or sample")
        }
        return kind
    }

    private static func optimizer(_ name: String) throws -> TrainingConfiguration.Optimizer.Kind {
        guard let kind = TrainingConfiguration.Optimizer.Kind(rawValue: name) else {
            throw ValidationError("--optimizer is '\(name)'; expected adamw or muon")
        }
        return kind
    }

    func validate() throws {
        for (name, value) in [
            ("tokens", tokens), ("hidden", hidden), ("heads", heads), ("blocks", blocks), ("length", length),
            ("batch", batch), ("repeats", repeats),
        ] where !(1...Limits.count).contains(value) {
            throw ValidationError("--\(name) is \(value); expected 1 to \(Limits.count)")
        }
        guard masked > 0, masked <= 1 else {
            throw ValidationError("--masked is \(masked); expected more than 0, 1 at most")
        }
    }

    func run() throws {
        let device = try engine.open(for: .training)
        let shape = Benchmark.Shape(
            tokens: tokens, hidden: hidden, heads: heads, blocks: blocks, length: length, batch: batch)
        let result = try Benchmark(
            shape: shape, steps: only.map { [$0] } ?? Set(Benchmark.Step.allCases), masked: masked, repeats: repeats,
            device: device, precision: engine.precision, capturesCUDAGraphs: !noGraphs,
            optimizer: optimizer
        ).run()
        guard !json else {
            try StandardOutput.line(JSON.text(result))
            return
        }
        try StandardOutput.line("model        \(result.parameters) weights; \(result.tokens) tokens per batch")
        let kind = device.kind == .cuda ? "trunk's precision, 8192 x 8192 x 8192" : "float32, 1024 x 1024 x 1024"
        try StandardOutput.line(String(format: "products     %.0f GFLOP/s (", result.gemmGflops) + kind + ")")
        let steps = [
            ("train step ", result.trainStepSeconds, result.trainRoofline),
            ("sample step", result.sampleStepSeconds, result.sampleRoofline),
        ]
        for (name, seconds, roofline) in steps {
            guard let seconds, let roofline else { continue }
            try StandardOutput.line("\(name)  " + String(format: "%.5f s   %.2f of the roofline", seconds, roofline))
        }
        try StandardOutput.line("peak memory  \(result.peakRssBytes >> 20) MiB")
    }
}
