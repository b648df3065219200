public import ArgumentParser
import Foundation
public import SEDD
import Text
import Torch

struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Convert between model folders, safetensors, pytorch_model.bin and the reference's checkpoint.pth.",
        discussion: """
            The form of TO follows from its ending: .pth, .bin, .safetensors, or none for a model folder. Pickles are read \
            without executing anything in them.

            Example:
              sedd convert --from run/checkpoints-meta/checkpoint.pth --to models/mine
            """)

    @Option(help: ArgumentHelp("Folder or file to read.", valueName: "path")) var from: String
    @Option(help: ArgumentHelp("Folder or file to write.", valueName: "path")) var to: String
    @Option(help: ArgumentHelp("Weights of a training checkpoint: average (EMA) or raw.", valueName: "which"))
    var weights: Conversion.Choice = .average
    @Option(help: ArgumentHelp("Element type of safetensors: float32, float16 or bfloat16.", valueName: "type"))
    var dtype = "float32"
    @Option(help: ArgumentHelp("config.json or the reference's config.yaml, if not beside FROM.", valueName: "file"))
    var config: String?

    func validate() throws {
        guard ["float32", "float16", "bfloat16"].contains(dtype) else {
            throw ValidationError("--dtype is '\(dtype)'; expected float32, float16 or bfloat16")
        }
    }

    func run() throws {
        let network = try Conversion.load(
            URL(filePath: from), configuration: config.map { URL(filePath: $0) }, choice: weights)
        try Conversion.write(network, to: URL(filePath: to), dtype: DType(rawValue: dtype) ?? .float32)
        try carryTokenizer(network.configuration)
        let count = network.weights.layout.parameters
        try StandardOutput.line("\(to): \(count) weights in \(network.weights.layout.entries.count) tensors")
    }
}

extension Convert {
    /// A folder that names its tokenizer holds its files, and so does what is made of it.
    private func carryTokenizer(_ configuration: ModelConfiguration) throws {
        guard let kind = configuration.tokenizer else { return }
        func folder(_ path: String) -> URL {
            let url = URL(filePath: path)
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
            return exists && isFolder.boolValue ? url : url.deletingLastPathComponent()
        }
        try Tokenizers.load(kind: kind, folder: folder(from)).write(to: folder(to))
    }
}

extension Conversion.Choice: ExpressibleByArgument {}
