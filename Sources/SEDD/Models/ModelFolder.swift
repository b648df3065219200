import Files
public import Foundation
public import Torch

/// A folder with `config.json`, the weights and the tokenizer's files.
///
/// Released folders (`model.safetensors` or `pytorch_model.bin`) are read without conversion; folders written here can
/// be read by the reference.
public enum ModelFolder {
    /// Loads the network from a folder or a weight file.
    ///
    /// - Parameter precision: precision of the trunk; defaults to the device's standard precision.
    /// - Throws: ``SEDDError`` or `FileError` that names the file and what is wrong with it.
    public static func load(_ folder: URL, device: Device = .cpu, precision: Precision? = nil) throws -> ScoreNetwork {
        try LanguageModel.load(folder, device: device, precision: precision).diffusion()
    }

    /// Writes `config.json` and `model.safetensors` into `folder`, creating it if necessary.
    ///
    /// - Parameter layout: the schema of the configuration, and the names of the weights.
    /// - Throws: ``SEDDError`` or `TorchError` of kind `cannotWrite`; `usage` if the layout cannot express the model.
    public static func save(
        _ configuration: ModelConfiguration, _ weights: Weights, to folder: URL, dtype: DType = .float32,
        layout: CheckpointLayout = .sedd
    ) throws {
        let data = try layout.data(configuration)
        try FileSystem.createFolder(folder)
        try OutputFile.write([UInt8](data), to: folder.appending(path: "config.json"))
        try write(
            weights, configuration, dtype: dtype, prefix: layout.prefix,
            to: folder.appending(path: "model.safetensors"))
    }

    /// Writes the weights and the reference's single buffer as safetensors.
    ///
    /// - Parameter prefix: prefix of the names.
    static func write(
        _ weights: Weights, _ configuration: ModelConfiguration, dtype: DType, prefix: String = "",
        metadata: [String: String] = [:], to url: URL
    ) throws {
        let named = try weights.named.map { (name: $0.name, tensor: try $0.tensor.detached().cast(to: dtype)) }
        try Safetensors.write(
            try (named + [rotaryBuffer(configuration)]).map { (name: prefix + $0.name, tensor: $0.tensor) },
            metadata: metadata.merging(["format": "pt"]) { $1 }, to: url)
    }

    /// `rotary_emb.inv_freq`, which the reference registers and strict loading expects.
    static func rotaryBuffer(_ configuration: ModelConfiguration) throws -> (name: String, tensor: Tensor) {
        let rates = RotaryPositions.rates(width: configuration.model.hiddenSize / configuration.model.nHeads)
        return ("rotary_emb.inv_freq", try Tensor(rates))
    }
}
