public import ArgumentParser
import Files
import Foundation
public import SEDD
import Text
import Torch

struct Convert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Convert between model folders, safetensors, PyTorch files and checkpoint.pth of the published SEDD code.",
        discussion: """
            FROM is a model folder or a weight file, recognized by its content: safetensors, files of any version of \
            torch.save, an index of shards, or a checkpoint of the published SEDD code or of nanoGPT. Reading a pickle never executes \
            code. The extension of TO selects the format: .safetensors, .bin or .pt, .pth (the published code's checkpoint), \
            anything else for a model folder. Only TO is written. The layouts of published MDLM, BD3-LM (one block), RADD and Duo \
            models are recognized by config.json; --layout writes them.

            Examples:
              sedd convert --from run/checkpoints-meta/checkpoint.pth --to models/mine
              sedd convert --from runs/clean --to models/mdlm --layout mdlm
            """)

    @Option(help: ArgumentHelp("Folder or file to read, a run, or ORG/NAME of the hub.", valueName: "model"))
    var from: PathArgument
    @Option(help: ArgumentHelp("Folder or file to write.", valueName: "path")) var to: PathArgument
    @Option(help: ArgumentHelp("Weights to take from a training checkpoint: average (EMA) or raw.", valueName: "which"))
    var weights: LanguageModel.Choice = .average
    @Option(help: ArgumentHelp("Element type of safetensors: float32, float16 or bfloat16.", valueName: "type"))
    var dtype = "float32"
    @Option(
        help: ArgumentHelp(
            "Layout of config.json and of the names of weights: sedd, mdlm, bd3lm, radd or duo.", valueName: "layout"))
    var layout: CheckpointLayout = .sedd
    @Flag(help: "Replace TO if it exists.") var force = false
    @Option(
        help: ArgumentHelp("config.json, or config.yaml of the published code, if not beside FROM.", valueName: "file"))
    var config: PathArgument?

    func validate() throws {
        guard ["float32", "float16", "bfloat16"].contains(dtype) else {
            throw ValidationError("--dtype is '\(dtype)'; expected float32, float16 or bfloat16")
        }
    }

    func run() async throws {
        let target = to.url
        if !force { try Conversion.requireFree(target) }
        let place = try await ModelFinder.shared.find(from.text).place
        let model = try LanguageModel.load(
            place, configuration: config?.url, choice: weights, note: Console.note)
        try Conversion.write(
            model, tokenizer: tokenizer(of: model, in: place.containingFolder), to: target,
            dtype: DType(rawValue: dtype) ?? .float32, layout: layout)
        let weights = model.weights.layout
        try StandardOutput.line("\(to.text): \(weights.parameters) weights in \(weights.entries.count) tensors")
    }

    /// A folder that names its tokenizer contains its files, and so does a folder converted from it.
    private func tokenizer(of model: LanguageModel, in folder: URL) throws -> (any Tokenizer)? {
        guard let kind = model.tokenizer else { return nil }
        return try Tokenizers.load(kind: kind, folder: folder)
    }
}

extension LanguageModel.Choice: ExpressibleByArgument {}
extension CheckpointLayout: ExpressibleByArgument {}
