import Files
public import Foundation
import TensorFiles
public import Torch

/// A model of either kind, as folders hold them and trainers make them.
public enum LanguageModel: Sendable {
    /// Score entropy discrete diffusion.
    case diffusion(ScoreNetwork)
    /// From left to right.
    case autoregressive(AutoregressiveNetwork)

    /// Which weights of a training checkpoint are meant.
    public enum Choice: String, Sendable, CaseIterable {
        /// The moving average, as the reference samples from it.
        case average
        /// The weights that the optimizer moved.
        case raw
    }

    /// Loads the model at `place`: a folder, or a file of weights of any kind that is known; its configuration says which kind of
    /// model it is.
    ///
    /// - Parameters:
    ///   - configuration: where its configuration is, if it is neither beside the weights nor within them.
    ///   - choice: which weights of a training checkpoint are meant; other files hold one set.
    ///   - precision: what a diffusion model's trunk computes in; the standard one of the device unless it is named.
    ///   - note: told, a line each, what the user should know of how the files were read.
    /// - Throws: ``SEDDError`` or `FileError`, naming the file, what is wrong with it and what to do.
    public static func load(
        _ place: URL, configuration: URL? = nil, choice: Choice = .average, device: Device = .cpu,
        precision: Precision? = nil, note: (String) -> Void = { _ in }
    ) throws -> LanguageModel {
        _ = try Precision.resolved(precision, on: device)
        let source = try ModelSource(place, configuration: configuration)
        source.weights.notes.forEach(note)
        if let (configuration, map) = try AutoregressiveSource.read(source, note: note) {
            try requireFloat32(precision)
            let weights = try Weights(WeightLayout(configuration), map)
            return .autoregressive(try AutoregressiveNetwork(configuration, weights.moved(to: device)))
        }
        let configuration = try source.decode(ModelConfiguration.self) { value throws(SEDDError) in try value.validate()
        }
        let layout = WeightLayout(configuration)
        var file = source.weights
        if choice == .average, file.pyTorch?.hasAverage == true {
            file = try file.average(names: layout.entries.map(\.name))
        }
        let weights = try Weights(layout, WeightMap(file))
        return .diffusion(
            try ScoreNetwork(configuration, weights.moved(to: device, Precision.resolved(precision, on: device))))
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
