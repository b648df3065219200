import Files
public import Foundation
public import Torch

/// A folder with GPT-2's `config.json` and weights, as released (`model.safetensors` or `pytorch_model.bin`) or written
/// here.
public enum AutoregressiveFolder {
    /// Loads the network from a folder or a weight file.
    ///
    /// - Throws: ``SEDDError`` or `FileError` that names the file and what is wrong with it.
    public static func load(_ folder: URL, device: Device = .cpu) throws -> AutoregressiveNetwork {
        try LanguageModel.load(folder, device: device).autoregressive()
    }

    /// Writes `config.json` and `model.safetensors` into `folder`, creating it if necessary.
    ///
    /// - Throws: ``SEDDError`` or `TorchError` of kind `cannotWrite`.
    public static func save(
        _ configuration: AutoregressiveConfiguration, _ weights: Weights, to folder: URL, dtype: DType = .float32
    ) throws {
        try FileSystem.createFolder(folder)
        try OutputFile.write([UInt8](configuration.jsonData()), to: folder.appending(path: "config.json"))
        try write(weights, dtype: dtype, to: folder.appending(path: "model.safetensors"))
    }

    /// Writes the weights as safetensors.
    static func write(_ weights: Weights, dtype: DType, metadata: [String: String] = [:], to url: URL) throws {
        let named = try weights.named.map { (name: $0.name, tensor: try $0.tensor.detached().cast(to: dtype)) }
        try Safetensors.write(named, metadata: metadata.merging(["format": "pt"]) { $1 }, to: url)
    }
}
