import Files
public import Foundation
public import Text
public import Torch

/// Converts models between file formats.
public enum Conversion {
    /// The output format, chosen by file extension.
    enum Form: Equatable {
        /// A model folder.
        case folder
        /// The weights alone, as safetensors or a PyTorch state dictionary.
        case safetensors, stateDictionary
        /// The reference's training checkpoint.
        case checkpoint

        init(_ target: URL) throws(SEDDError) {
            switch target.pathExtension {
            case "safetensors": self = .safetensors
            case "bin", "pt": self = .stateDictionary
            case "pth": self = .checkpoint
            case "ckpt":
                throw SEDDError(
                    .usage, "\(target.path): expected .safetensors, .bin, .pt or .pth, or a folder; .ckpt is only read")
            default: self = .folder
            }
        }
    }

    /// Checks that nothing existing would be overwritten.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if `target` is a file or a folder that is not empty.
    public static func requireFree(_ target: URL) throws(SEDDError) {
        var information = stat()
        guard stat(target.path, &information) == 0 else {
            guard lstat(target.path, &information) == 0 else { return }
            throw SEDDError(.usage, "\(target.path): a link to nothing; name another, or remove it")
        }
        switch information.st_mode & S_IFMT {
        case S_IFREG:
            throw SEDDError(.usage, "\(target.path): exists; name another, or replace it with --force")
        case S_IFDIR:
            guard (try? FileManager.default.contentsOfDirectory(atPath: target.path))?.isEmpty == false else { return }
            throw SEDDError(
                .usage,
                "\(target.path): a folder with files in it; name another, or replace those of a model with --force")
        default: return
        }
    }

    /// Writes a model folder or, by extension, the reference's training checkpoint (`.pth`), a PyTorch state dictionary
    /// (`.bin`, `.pt`) or the weights alone (`.safetensors`). Only `target` is written; a single file embeds its
    /// configuration, so it can be read back on its own.
    ///
    /// Only this package's own layout knows a head that is tied to the embedding; all others get a copy of it.
    /// A checkpoint holds the weights both as the model and as its moving average, at step 0, with a fresh optimizer
    /// state.
    /// - Parameters:
    ///   - tokenizer: the tokenizer whose files go into a model folder.
    ///   - dtype: element type of safetensors; float16 and bfloat16 halve the file size. Pickles are float32.
    ///   - layout: the schema of the configuration and the names of the weights of a diffusion model.
    /// - Throws: ``SEDDError``, `FileError` or `TorchError` of kind `cannotWrite`; `usage` for a format that does not
    ///   support the model or the type.
    public static func write(
        _ model: LanguageModel, tokenizer: (any Tokenizer)? = nil, to target: URL, dtype: DType = .float32,
        layout: CheckpointLayout = .sedd
    ) throws {
        let form = try Form(target)
        let model = layout == .sedd && form != .checkpoint ? model : try model.untied()
        try requireFit(form, of: model, layout, target)
        guard form == .folder || form == .safetensors || dtype == .float32 else {
            throw SEDDError(
                .usage,
                "\(target.path): PyTorch files are written as float32; choose .safetensors for \(dtype.rawValue)")
        }
        guard form == .folder || !Manifest.lists(target) else {
            throw SEDDError(
                .usage,
                "\(target.path): belongs to a model folder, which would no longer match its \(Manifest.fileName); convert to the folder, or to another file"
            )
        }
        if form == .folder { return try write(model, tokenizer, folder: target, dtype: dtype, layout) }
        let configuration = try model.configurationData(layout)
        try FileSystem.createFolder(target.deletingLastPathComponent())
        let metadata = ["config": String(decoding: configuration, as: UTF8.self)]
        switch (model, form) {
        case (.diffusion(let network), .safetensors):
            try ModelFolder.write(
                network.weights, network.configuration, dtype: dtype, prefix: layout.prefix, metadata: metadata,
                to: target)
        case (.diffusion(let network), _):
            let named = network.weights.named
            let tensors = named + [try ModelFolder.rotaryBuffer(network.configuration)]
            let state = PickleWriter.Node.dictionary(tensors.map { (layout.prefix + $0.name, .tensor($0.tensor)) })
            try PickleWriter.write(
                form == .checkpoint ? checkpoint(state, named.map(\.tensor)) : state, configuration: configuration,
                to: target)
        case (.autoregressive(let network), .safetensors):
            try AutoregressiveFolder.write(network.weights, dtype: dtype, metadata: metadata, to: target)
        case (.autoregressive(let network), .stateDictionary):
            let state = PickleWriter.Node.dictionary(network.weights.named.map { ($0.name, .tensor($0.tensor)) })
            try PickleWriter.write(state, configuration: configuration, to: target)
        case (.autoregressive, _): throw notForCheckpoint(target, "an autoregressive model")
        }
    }

    /// Checks that the layout and, for a checkpoint of the reference, SEDD's own network can hold the model.
    private static func requireFit(
        _ form: Form, of model: LanguageModel, _ layout: CheckpointLayout, _ target: URL
    ) throws(SEDDError) {
        guard case .diffusion(let network) = model else {
            guard layout == .sedd else {
                throw SEDDError(
                    .usage, "the layout \(layout.rawValue) is for diffusion models, and this is an autoregressive model"
                )
            }
            return
        }
        let own = network.configuration.model
        guard form != .checkpoint || layout == .sedd && own.parametrisation == .score && own.conditioning == .sigma
        else {
            throw notForCheckpoint(
                target,
                layout == .sedd
                    ? "a network with parametrisation \(own.parametrisation.rawValue) and conditioning \(own.conditioning.rawValue)"
                    : "for the layout \(layout.rawValue)")
        }
    }

    private static func notForCheckpoint(_ target: URL, _ found: String) -> SEDDError {
        SEDDError(
            .usage,
            "\(target.path): a .pth file holds a training checkpoint of the published SEDD code, and this is \(found); choose a folder, .safetensors or .bin"
        )
    }

    private static func write(
        _ model: LanguageModel, _ tokenizer: (any Tokenizer)?, folder: URL, dtype: DType, _ layout: CheckpointLayout
    ) throws {
        switch model {
        case .diffusion(let network):
            try ModelFolder.save(network.configuration, network.weights, to: folder, dtype: dtype, layout: layout)
        case .autoregressive(let network):
            try AutoregressiveFolder.save(network.configuration, network.weights, to: folder, dtype: dtype)
        }
        var names = ["config.json", "model.safetensors"]
        if let tokenizer {
            // Only the tokenizer knows its files: they are written to a temporary folder, then moved.
            // The folder may be another process's target too.
            let aside = folder.appending(path: ".tokenizer.\(ProcessInfo.processInfo.processIdentifier).partial")
            try? FileManager.default.removeItem(at: aside)
            defer { try? FileManager.default.removeItem(at: aside) }
            try FileSystem.createFolder(aside)
            try tokenizer.write(to: aside)
            for name in try FileManager.default.contentsOfDirectory(atPath: aside.path) {
                names.append(name)
                guard rename(aside.appending(path: name).path, folder.appending(path: name).path) == 0 else {
                    throw SEDDError(
                        .cannotWrite,
                        "\(folder.path)/\(name): cannot be renamed into place (\(FileSystem.reason(errno)))")
                }
            }
        }
        try Manifest(of: folder, files: names).write(to: folder)
        // The information profile was measured on the model that was here before.
        try? FileManager.default.removeItem(at: folder.appending(path: "profile.json"))
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
}
