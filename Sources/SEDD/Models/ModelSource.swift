import Files
import Foundation
import TensorFiles
import Yams

/// The files of a model: its weights and the matching configuration.
struct ModelSource {
    /// A description of the network.
    enum Description {
        /// `config.json`, wherever it was found.
        case json([UInt8], source: String)
        /// The reference's `.hydra/config.yaml`.
        case yaml(String, source: String)
        /// The `model_args` that nanoGPT stores with its weights.
        case nanoGPT([String: PyTorchContent.Argument])
    }

    let weights: WeightFile
    let description: Description

    /// Opens the model at `place`: a folder or a weight file.
    ///
    /// - Parameter configuration: location of the configuration, if it is neither beside the weights nor embedded in
    ///   them.
    /// - Throws: ``SEDDError`` or `FileError` that names the file, what it contains and what to do.
    init(_ place: URL, configuration: URL? = nil) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) else {
            throw SEDDError(
                .missingInput,
                "\(place.path): no such folder or file; expected a model folder with config.json and model.safetensors, or a weight file"
            )
        }
        let folder = isFolder.boolValue ? place : place.deletingLastPathComponent()
        // Errors in a folder's configuration are reported before its weights are searched for.
        var described = try configuration.map(Self.read)
        if isFolder.boolValue {
            try Manifest.verifyModel(folder)
            described = try described ?? Self.description(near: folder)
        }
        let opened: WeightFile
        do {
            opened = try WeightFile(isFolder.boolValue ? WeightFolder.file(in: place) : place)
        } catch let error as SEDDError where described == nil && error.kind == .missingInput {
            throw SEDDError(
                .missingInput,
                "\(place.path): found neither config.json nor weights; expected a model folder with config.json and model.safetensors"
            )
        }
        if described == nil {
            // A configuration embedded in the file takes precedence over one beside it.
            described = opened.configuration.map { .json($0, source: opened.path) }
            if let arguments = opened.pyTorch?.modelArguments { described = described ?? .nanoGPT(arguments) }
            described = try described ?? Self.description(near: folder)
        }
        guard let described else {
            throw SEDDError(
                .missingInput,
                "\(folder.path): no config.json or .hydra/config.yaml beside the weights; name one with --config")
        }
        weights = opened
        description = described
    }

    /// Where the description was found, for messages.
    var place: String {
        switch description {
        case .json(_, let source), .yaml(_, let source): source
        case .nanoGPT: weights.path
        }
    }

    /// The top-level members of a JSON configuration, which identify the kind of model.
    var members: [String: JSONValue]? {
        get throws {
            guard case .json(let bytes, let source) = description else { return nil }
            guard case .object(let members) = try JSON.parse(bytes, source: source) else {
                throw SEDDError(.invalidData, "\(source): not a JSON object; expected the configuration of a model")
            }
            return members
        }
    }

    /// Decodes the configuration as the kind that it was found to be.
    ///
    /// - Throws: ``SEDDError`` or `FileError` of kind `invalidData` that names the file and the key.
    func decode<Configuration: Decodable>(
        _: Configuration.Type, validate: (Configuration) throws(SEDDError) -> Void
    ) throws -> Configuration {
        let configuration: Configuration
        let place: String
        switch description {
        case .json(let bytes, let source):
            configuration = try JSON.decode(from: bytes, source: source)
            place = source
        case .yaml(let text, let source):
            let node = try YAMLText.node(text, source: source) ?? Node([:])
            try YAMLText.requireDecimals(node, source: source)
            do { configuration = try YAMLDecoder().decode(from: node) } catch let error as DecodingError {
                throw SEDDError(.invalidData, "\(source): \(error.line)")
            } catch {
                throw SEDDError(.invalidData, "\(source): not valid YAML (\(error))")
            }
            place = source
        case .nanoGPT:
            throw SEDDError(
                .invalidData,
                "\(weights.path): a checkpoint of nanoGPT, an autoregressive model; expected a diffusion model"
            )
        }
        do { try validate(configuration) } catch { throw SEDDError(error.kind, "\(place): \(error.description)") }
        return configuration
    }

    private static let greatest = 1 << 24

    private static func description(near folder: URL) throws -> Description? {
        let candidates = [
            folder.appending(path: "config.json"), folder.appending(path: ".hydra/config.yaml"),
            folder.deletingLastPathComponent().appending(path: ".hydra/config.yaml"),
        ]
        return try candidates.first(where: FileSystem.exists).map(read)
    }

    private static func read(_ url: URL) throws -> Description {
        let bytes = try FileSystem.contents(of: url, limit: greatest)
        guard ["yaml", "yml"].contains(url.pathExtension) else { return .json(bytes, source: url.path) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SEDDError(.invalidData, "\(url.path): not UTF-8; expected the configuration of a run")
        }
        return .yaml(text, source: url.path)
    }
}

/// Finds the file of a model folder that holds the weights.
enum WeightFolder {
    /// In order of preference.
    static let usual = [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
        // The reference's run folder.
        "checkpoints-meta/checkpoint.pth",
    ]
    static let endings: Set<String> = ["safetensors", "bin", "pt", "pth", "ckpt"]
    /// Files that training leaves beside the weights.
    private static let others: Set<String> = [
        "training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state.pth",
    ]

    /// - Throws: ``SEDDError`` of kind `missingInput` if there is none; `usage` if the choice is ambiguous.
    static func file(in folder: URL) throws(SEDDError) -> URL {
        if let found = usual.map({ folder.appending(path: $0) }).first(where: FileSystem.exists) { return found }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
        let found = names.map { folder.appending(path: $0) }.filter {
            endings.contains($0.pathExtension.lowercased()) && !others.contains($0.lastPathComponent)
                && !$0.lastPathComponent.hasPrefix(".")
        }
        guard let first = found.first else {
            throw SEDDError(
                .missingInput, "\(folder.path): no weights; expected model.safetensors or pytorch_model.bin")
        }
        guard found.count == 1 else {
            throw SEDDError(
                .usage,
                "\(folder.path): the weights are ambiguous: \(found.prefix(5).map(\.lastPathComponent).joined(separator: ", ")); name one of them, or rename it to \(first.pathExtension == "safetensors" ? usual[0] : usual[2])"
            )
        }
        return first
    }
}
