import Files
public import Foundation
public import Torch

/// A folder with `config.json`, the weights and the tokenizer's files.
///
/// Released folders (`model.safetensors` or `pytorch_model.bin`) are read as they are; those written here are read by
/// the reference.
public enum ModelFolder {
    /// Loads the network in `folder`, or of a file of weights.
    ///
    /// - Parameter precision: what the trunk computes in; the standard one of the device unless it is named.
    /// - Throws: ``SEDDError`` or `FileError`, naming the file and what is wrong with it.
    public static func load(_ folder: URL, device: Device = .cpu, precision: Precision? = nil) throws -> ScoreNetwork {
        try LanguageModel.load(folder, device: device, precision: precision).diffusion()
    }

    /// Writes `config.json` and `model.safetensors` into `folder`, which is made where it is missing.
    ///
    /// - Throws: ``SEDDError`` or `TorchError` of kind `cannotWrite`.
    public static func save(
        _ configuration: ModelConfiguration, _ weights: Weights, to folder: URL, dtype: DType = .float32
    ) throws {
        try FileSystem.createFolder(folder)
        try OutputFile.write([UInt8](configuration.jsonData()), to: folder.appending(path: "config.json"))
        try write(weights, configuration, dtype: dtype, to: folder.appending(path: "model.safetensors"))
    }

    /// Writes the weights and the reference's one buffer as safetensors.
    static func write(
        _ weights: Weights, _ configuration: ModelConfiguration, dtype: DType, metadata: [String: String] = [:],
        to url: URL
    ) throws {
        let named = try weights.named.map { (name: $0.name, tensor: try $0.tensor.detached().cast(to: dtype)) }
        try Safetensors.write(
            named + [rotaryBuffer(configuration)], metadata: metadata.merging(["format": "pt"]) { $1 }, to: url)
    }

    /// `rotary_emb.inv_freq`, which the reference registers and strict loading expects.
    static func rotaryBuffer(_ configuration: ModelConfiguration) throws -> (name: String, tensor: Tensor) {
        let rates = RotaryPositions.rates(width: configuration.model.hiddenSize / configuration.model.nHeads)
        return ("rotary_emb.inv_freq", try Tensor(rates))
    }
}
