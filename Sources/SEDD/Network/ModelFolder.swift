import Files
public import Foundation
public import Torch

/// A folder with `config.json`, the weights and the tokenizer's files.
///
/// Released folders (`model.safetensors` or `pytorch_model.bin`) are read as they are; those written here are read by
/// the reference.
public enum ModelFolder {
    /// Loads the network in `folder`.
    ///
    /// - Parameter precision: what the trunk computes in; the standard one of the device unless it is named.
    /// - Throws: ``SEDDError`` or `TorchError`, naming the file and what is wrong with it.
    public static func load(_ folder: URL, device: Device = .cpu, precision: Precision? = nil) throws -> ScoreNetwork {
        let precision = try Precision.resolved(precision, on: device)
        guard FileManager.default.fileExists(atPath: folder.path) else {
            throw SEDDError(
                .missingInput,
                "\(folder.path): no such folder; expected a model folder with config.json and model.safetensors")
        }
        let configuration = try ModelConfiguration(contentsOf: folder.appending(path: "config.json"))
        return try ScoreNetwork(configuration, weights(in: folder, configuration).moved(to: device, precision))
    }

    /// The weights in `folder`, by released names.
    static func weights(in folder: URL, _ configuration: ModelConfiguration) throws -> Weights {
        let weights = try Weights(layout: WeightLayout(configuration))
        let safetensors = folder.appending(path: "model.safetensors")
        let pickle = folder.appending(path: "pytorch_model.bin")
        if FileManager.default.fileExists(atPath: safetensors.path) {
            try weights.load(safetensors)
        } else if FileManager.default.fileExists(atPath: pickle.path) {
            let dictionary = try StateDictionary(contentsOf: pickle)
            try weights.load(dictionary, source: pickle.path)
        } else {
            throw SEDDError(
                .missingInput, "\(folder.path): no weights; expected model.safetensors or pytorch_model.bin")
        }
        return weights
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
    static func write(_ weights: Weights, _ configuration: ModelConfiguration, dtype: DType, to url: URL) throws {
        let named = try weights.named.map { (name: $0.name, tensor: try $0.tensor.detached().cast(to: dtype)) }
        try Safetensors.write(named + [rotaryBuffer(configuration)], metadata: ["format": "pt"], to: url)
    }

    /// `rotary_emb.inv_freq`, which the reference registers and strict loading expects.
    static func rotaryBuffer(_ configuration: ModelConfiguration) throws -> (name: String, tensor: Tensor) {
        let rates = RotaryPositions.rates(width: configuration.model.hiddenSize / configuration.model.nHeads)
        return ("rotary_emb.inv_freq", try Tensor(rates))
    }

}

extension Weights {
    /// Overwrites the numbers with those of a safetensors file.
    func load(_ url: URL) throws {
        let file = try Safetensors(contentsOf: url)
        try load(
            names: file.names, source: url.path, shape: { file.entries[$0]?.shape ?? [] },
            tensor: { try file.tensor($0) })
    }

    /// Overwrites the numbers with those of a PyTorch state dictionary.
    func load(_ dictionary: StateDictionary, source: String) throws {
        try load(
            names: dictionary.names, source: source, shape: { try dictionary.shape($0) },
            tensor: { try dictionary.tensor($0) })
    }

    /// The numbers on `device`, for a trunk that computes in `precision`; without a copy where nothing changes.
    func moved(to device: Device, _ precision: Precision = .float32) throws -> Weights {
        try flat.device == device && precision == self.precision ? self : copied(to: device, precision: precision)
    }
}
