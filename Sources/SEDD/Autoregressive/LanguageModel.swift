import Files
public import Foundation
public import Torch

/// A model of either kind, as folders hold them and trainers make them.
public enum LanguageModel: Sendable {
    /// Score entropy discrete diffusion.
    case diffusion(ScoreNetwork)
    /// From left to right.
    case autoregressive(AutoregressiveNetwork)

    /// Loads the model in `folder`; its `config.json` says which kind it is.
    ///
    /// - Parameter precision: what a diffusion model's trunk computes in; the standard one of the device unless it is named.
    /// - Throws: ``SEDDError`` or `TorchError`, naming the file and what is wrong with it.
    public static func load(_ folder: URL, device: Device = .cpu, precision: Precision? = nil) throws -> LanguageModel {
        let file = folder.appending(path: "config.json")
        // What is wrong with the file is said by whoever reads it whole.
        let tree = (try? FileSystem.contents(of: file)).flatMap { try? JSON.parse($0, source: file.path) }
        guard case .object(let fields) = tree, fields["model_type"] == .string("gpt2") || fields["n_embd"] != nil else {
            return .diffusion(try ModelFolder.load(folder, device: device, precision: precision))
        }
        try requireFloat32(precision)
        return .autoregressive(try AutoregressiveFolder.load(folder, device: device))
    }

    /// Refuses a precision that a model that writes from left to right does not compute in.
    static func requireFloat32(_ precision: Precision?) throws(SEDDError) {
        guard precision != .bf16 else {
            throw SEDDError(.usage, "a model that writes from left to right computes in float32; leave --precision out")
        }
    }

    /// All numbers of the model.
    public var weights: Weights {
        switch self {
        case .diffusion(let network): network.weights
        case .autoregressive(let network): network.weights
        }
    }

    /// Tokens of the tokenizer that the model goes with.
    public var tokens: Int {
        switch self {
        case .diffusion(let network): network.configuration.tokens
        case .autoregressive(let network): network.configuration.outputs
        }
    }

    /// Positions that the model was trained on.
    public var length: Int {
        switch self {
        case .diffusion(let network): network.configuration.model.length
        case .autoregressive(let network): network.configuration.length
        }
    }

    /// Which tokenizer's files lie in the folder, where it names one.
    public var tokenizer: String? {
        switch self {
        case .diffusion(let network): network.configuration.tokenizer
        case .autoregressive(let network): network.configuration.tokenizer
        }
    }

    /// `config.json`.
    public func configurationData() throws -> Data {
        switch self {
        case .diffusion(let network): try network.configuration.jsonData()
        case .autoregressive(let network): try network.configuration.jsonData()
        }
    }

    /// The network of a diffusion model.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where the model is another.
    public func diffusion() throws(SEDDError) -> ScoreNetwork {
        guard case .diffusion(let network) = self else {
            throw SEDDError(.usage, "the model writes from left to right; expected a diffusion model")
        }
        return network
    }

    /// The network of a model that writes from left to right.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where the model is another.
    public func autoregressive() throws(SEDDError) -> AutoregressiveNetwork {
        guard case .autoregressive(let network) = self else {
            throw SEDDError(
                .usage, "the model is a diffusion model; expected one that writes from left to right (GPT-2)")
        }
        return network
    }
}
