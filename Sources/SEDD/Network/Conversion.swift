import Files
public import Foundation
public import Torch
import Yams

/// Between the files that models of this kind come in.
public enum Conversion {
    /// Which weights of a training checkpoint are meant.
    public enum Choice: String, Sendable, CaseIterable {
        /// The moving average, as the reference samples from it.
        case average
        /// The weights that the optimizer moved.
        case raw
    }

    /// Loads a model folder, a `.safetensors` or `.bin` file of weights, or the reference's `checkpoint.pth`.
    ///
    /// - Parameters:
    ///   - configuration: where the configuration is, if it is neither `config.json` beside the file nor the
    ///     `.hydra/config.yaml` of the reference's run folder.
    ///   - choice: which weights of a training checkpoint are meant; other files hold one set.
    /// - Throws: ``SEDDError`` or `TorchError`, naming the file and what is wrong with it.
    public static func load(_ source: URL, configuration: URL? = nil, choice: Choice = .average) throws -> ScoreNetwork
    {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: source.path, isDirectory: &isFolder) else {
            throw SEDDError(
                .missingInput,
                "\(source.path): no such file or folder; expected a model folder, .safetensors, .bin or .pth")
        }
        if isFolder.boolValue, let checkpoint = referenceCheckpoint(in: source) {
            return try load(checkpoint, configuration: configuration, choice: choice)
        }
        let folder = isFolder.boolValue ? source : source.deletingLastPathComponent()
        let resolved = try configuration.map(read) ?? found(near: folder)
        if isFolder.boolValue { return try ScoreNetwork(resolved, ModelFolder.weights(in: source, resolved)) }
        let weights = try Weights(layout: WeightLayout(resolved))
        switch source.pathExtension {
        case "safetensors": try weights.load(source)
        case "bin", "pt": try weights.load(StateDictionary(contentsOf: source), source: source.path)
        case "pth":
            let dictionary = try StateDictionary(checkpoint: source, choice: choice, layout: weights.layout)
            try weights.load(dictionary, source: source.path)
        default:
            throw SEDDError(
                .usage, "\(source.path): the ending is unknown; expected .safetensors, .bin or .pth, or a model folder")
        }
        return try ScoreNetwork(resolved, weights)
    }

    /// Writes a model folder, or with the ending `.pth` the reference's training checkpoint, `.bin` a PyTorch state
    /// dictionary, `.safetensors` the weights alone; `config.json` lies beside each.
    ///
    /// A checkpoint written so holds the weights as both the model and its moving average, at step 0, with an optimizer
    /// that has seen nothing.
    /// - Parameter dtype: element type of safetensors; float16 and bfloat16 halve the file. Pickles are float32.
    /// - Throws: ``SEDDError`` or `TorchError` of kind `cannotWrite`, `usage` for a pickle of another type.
    public static func write(_ network: ScoreNetwork, to target: URL, dtype: DType = .float32) throws {
        let configuration = network.configuration
        guard ["pth", "bin", "safetensors"].contains(target.pathExtension) else {
            return try ModelFolder.save(configuration, network.weights, to: target, dtype: dtype)
        }
        guard target.pathExtension == "safetensors" || dtype == .float32 else {
            throw SEDDError(.usage, "\(target.path): a pickle holds float32; write safetensors for \(dtype.rawValue)")
        }
        let folder = target.deletingLastPathComponent()
        try FileSystem.createFolder(folder)
        if target.pathExtension == "safetensors" {
            try ModelFolder.write(network.weights, configuration, dtype: dtype, to: target)
        } else {
            let named = network.weights.named
            let tensors = named + [try ModelFolder.rotaryBuffer(configuration)]
            let model = PickleWriter.Node.dictionary(tensors.map { ($0.name, .tensor($0.tensor)) })
            try PickleWriter.write(
                target.pathExtension == "bin" ? model : checkpoint(model, named.map(\.tensor)), to: target)
        }
        try OutputFile.write([UInt8](configuration.jsonData()), to: folder.appending(path: "config.json"))
    }

    private static func checkpoint(_ model: PickleWriter.Node, _ shadow: [Tensor]) -> PickleWriter.Node {
        // The reference's optimizer also holds one parameter of its noise schedule, after those of the network.
        let places = (0...shadow.count).map { PickleWriter.Node.integer($0) }
        let group = PickleWriter.Node.dictionary([
            ("lr", .number(3e-4)), ("betas", .tuple([.number(0.9), .number(0.999)])), ("eps", .number(1e-8)),
            ("weight_decay", .number(0)), ("params", .list(places)),
        ])
        return .dictionary([
            ("optimizer", .dictionary([("state", .dictionary([])), ("param_groups", .list([group]))])),
            ("model", model),
            (
                "ema",
                .dictionary([
                    ("decay", .number(0.9999)), ("num_updates", .integer(0)),
                    ("shadow_params", .list(shadow.map { .tensor($0) })),
                ])
            ),
            ("step", .integer(0)),
        ])
    }

    private static func referenceCheckpoint(in folder: URL) -> URL? {
        let candidates = ["checkpoints-meta/checkpoint.pth", "checkpoint.pth"].map { folder.appending(path: $0) }
        let isModel = ["model.safetensors", "pytorch_model.bin"].contains {
            FileManager.default.fileExists(atPath: folder.appending(path: $0).path)
        }
        return isModel ? nil : candidates.first { FileManager.default.fileExists(atPath: $0.path) }
    }

    private static func found(near folder: URL) throws -> ModelConfiguration {
        let candidates = [
            folder.appending(path: "config.json"), folder.appending(path: ".hydra/config.yaml"),
            folder.deletingLastPathComponent().appending(path: ".hydra/config.yaml"),
        ]
        guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
            throw SEDDError(
                .missingInput, "\(folder.path): no config.json or .hydra/config.yaml; name one with --config")
        }
        return try read(found)
    }

    private static func read(_ url: URL) throws -> ModelConfiguration {
        guard ["yaml", "yml"].contains(url.pathExtension) else { return try ModelConfiguration(contentsOf: url) }
        guard let text = try? String(contentsOf: url, encoding: .utf8) else {
            throw SEDDError(
                .missingInput, "\(url.path): no such file, or no UTF-8; expected the configuration of a run")
        }
        do {
            let configuration = try YAMLDecoder().decode(ModelConfiguration.self, from: text)
            try configuration.validate()
            return configuration
        } catch let error as DecodingError {
            throw SEDDError(.invalidData, "\(url.path): \(error.line)")
        }
    }
}
