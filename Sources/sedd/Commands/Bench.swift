import ArgumentParser
import Foundation
import SEDD

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Time a training step and a sampling step beside the machine's matrix products.",
        discussion: """
            A roofline of 1 would be a step that takes as long as its matrix products alone.

            Example:
              sedd bench --tokens 66 --hidden 384 --heads 6 --blocks 6 --length 256 --batch 8
            """)

    @Option(help: ArgumentHelp("Tokens of the vocabulary.", valueName: "n")) var tokens = 27
    @Option(help: ArgumentHelp("Width.", valueName: "d")) var hidden = 192
    @Option(help: ArgumentHelp("Attention heads.", valueName: "h")) var heads = 4
    @Option(help: ArgumentHelp("Blocks.", valueName: "N")) var blocks = 4
    @Option(help: ArgumentHelp("Positions.", valueName: "L")) var length = 128
    @Option(help: ArgumentHelp("Sequences a batch.", valueName: "B")) var batch = 16
    @Option(help: ArgumentHelp("Timed steps of each kind, after one that is not.", valueName: "R")) var repeats = 5
    @Flag(help: "Print one JSON object.") var json = false
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        for (name, value) in [
            ("tokens", tokens), ("hidden", hidden), ("heads", heads), ("blocks", blocks), ("length", length),
            ("batch", batch), ("repeats", repeats),
        ] where value < 1 { throw ValidationError("--\(name) is \(value); expected 1 or more") }
    }

    func run() throws {
        let device = try engine.open()
        let shape = Benchmark.Shape(
            tokens: tokens, hidden: hidden, heads: heads, blocks: blocks, length: length, batch: batch)
        let result = try Benchmark(shape: shape, repeats: repeats, device: device).run()
        guard !json else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            print(String(decoding: try encoder.encode(result), as: UTF8.self))
            return
        }
        print("model        \(result.parameters) weights; \(result.tokens) tokens a batch")
        print(String(format: "products     %.0f GFLOP/s (float32, 1024 x 1024 x 1024)", result.gemmGflops))
        print(
            String(format: "train step   %.4f s   %.2f of the roofline", result.trainStepSeconds, result.trainRoofline))
        print(
            String(
                format: "sample step  %.4f s   %.2f of the roofline", result.sampleStepSeconds, result.sampleRoofline))
        print("peak memory  \(result.peakRssBytes >> 20) MiB")
    }
}
