import Files
public import Foundation
public import Torch

/// A folder with GPT-2's `config.json` and weights, as released (`model.safetensors` or `pytorch_model.bin`) or written here.
public enum AutoregressiveFolder {
    /// Loads the network in `folder`.
    ///
    /// - Throws: ``SEDDError`` or `TorchError`, naming the file and what is wrong with it.
    public static func load(_ folder: URL, device: Device = .cpu) throws -> AutoregressiveNetwork {
        let configuration = try AutoregressiveConfiguration(contentsOf: folder.appending(path: "config.json"))
        let weights = try Weights(layout: WeightLayout(configuration))
        let safetensors = folder.appending(path: "model.safetensors")
        let pickle = folder.appending(path: "pytorch_model.bin")
        if FileManager.default.fileExists(atPath: safetensors.path) {
            let file = try Safetensors(contentsOf: safetensors)
            try weights.loadAutoregressive(
                names: file.names, source: safetensors.path, shape: { file.entries[$0]?.shape ?? [] },
                tensor: { try file.tensor($0) })
        } else if FileManager.default.fileExists(atPath: pickle.path) {
            let dictionary = try StateDictionary(contentsOf: pickle)
            try weights.loadAutoregressive(
                names: dictionary.names, source: pickle.path, shape: { try dictionary.shape($0) },
                tensor: { try dictionary.tensor($0) })
        } else {
            throw SEDDError(
                .missingInput, "\(folder.path): no weights; expected model.safetensors or pytorch_model.bin")
        }
        return try AutoregressiveNetwork(configuration, weights.moved(to: device))
    }

    /// Writes `config.json` and `model.safetensors` into `folder`, which is made where it is missing.
    ///
    /// - Throws: ``SEDDError`` or `TorchError` of kind `cannotWrite`.
    public static func save(
        _ configuration: AutoregressiveConfiguration, _ weights: Weights, to folder: URL, dtype: DType = .float32
    ) throws {
        try FileSystem.createFolder(folder)
        try OutputFile.write([UInt8](configuration.jsonData()), to: folder.appending(path: "config.json"))
        let named = try weights.named.map { (name: $0.name, tensor: try $0.tensor.detached().cast(to: dtype)) }
        try Safetensors.write(named, metadata: ["format": "pt"], to: folder.appending(path: "model.safetensors"))
    }
}
