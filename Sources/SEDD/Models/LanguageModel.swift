import Files
public import Foundation
import TensorFiles
public import Torch

/// A model of either kind, as loaded from a folder or produced by training.
public enum LanguageModel: Sendable {
    /// Score entropy discrete diffusion.
    case diffusion(ScoreNetwork)
    /// Autoregressive.
    case autoregressive(AutoregressiveNetwork)

    /// Which weights of a training checkpoint to use.
    public enum Choice: String, Sendable, CaseIterable {
        /// The moving average, from which the reference samples.
        case average
        /// The weights updated by the optimizer.
        case raw
    }

    /// Loads the model at `place`: a folder, or a weight file of any supported format. The configuration determines the
    /// kind of model.
    ///
    /// - Parameters:
    ///   - configuration: location of the configuration, if it is neither beside the weights nor embedded in them.
    ///   - choice: which weights of a training checkpoint to use; other files hold one set.
    ///   - precision: precision of a diffusion model's trunk; defaults to the device's standard precision.
    ///   - note: receives one line for each thing that the user should know about how the files were read.
    /// - Throws: ``SEDDError`` or `FileError` that names the file, what is wrong with it and what to do.
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
        let form = try CheckpointLayout(source)
        let configuration = try form.configuration(source)
        let layout = WeightLayout(configuration)
        var file = source.weights
        if choice == .average, file.pyTorch?.hasAverage == true {
            file = try file.average(names: layout.entries.map(\.name))
        }
        var map = WeightMap(file)
        for buffer in form.buffers { map.sources[buffer] = nil }
        let weights = try Weights(layout, map)
        if let line = form.note(configuration) { note("\(source.place): \(line)") }
        return .diffusion(
            try ScoreNetwork(configuration, weights.moved(to: device, Precision.resolved(precision, on: device))))
    }

    /// Refuses a precision that an autoregressive model does not compute in.
    static func requireFloat32(_ precision: Precision?) throws(SEDDError) {
        guard precision == nil || precision == .float32 else {
            throw SEDDError(.usage, "an autoregressive model computes in float32; leave --precision out")
        }
    }

    /// All weights of the model.
    public var weights: Weights {
        switch self {
        case .diffusion(let network): network.weights
        case .autoregressive(let network): network.weights
        }
    }

    /// Number of tokens: those of the tokenizer that fits the model, and padding.
    public var tokens: Int {
        switch self {
        case .diffusion(let network): network.configuration.tokens
        case .autoregressive(let network): network.configuration.outputs
        }
    }

    /// The number of tokens without text beside a tokenizer of `vocabulary` tokens; nil if it cannot be the model's.
    public func padding(beside vocabulary: Int) -> Int? {
        switch self {
        case .diffusion(let network): network.configuration.padding(beside: vocabulary)
        case .autoregressive(let network):
            network.configuration.accepts(vocabulary: vocabulary) ? tokens - vocabulary : nil
        }
    }

    /// What a tokenizer must have, for errors: `256`, or `10 and 1 of padding`.
    public var vocabularyDescription: String {
        guard case .diffusion(let network) = self, let padding = network.configuration.padding, padding > 0 else {
            return "\(tokens)"
        }
        return "\(tokens - padding) and \(padding) of padding"
    }

    /// Context length that the model was trained with.
    public var length: Int {
        switch self {
        case .diffusion(let network): network.configuration.model.length
        case .autoregressive(let network): network.configuration.length
        }
    }

    /// Kind of the tokenizer in the folder, if the configuration names one.
    public var tokenizer: String? {
        switch self {
        case .diffusion(let network): network.configuration.tokenizer
        case .autoregressive(let network): network.configuration.tokenizer
        }
    }

    /// The contents of `config.json`.
    ///
    /// - Parameter layout: its schema, for a diffusion model.
    public func configurationData(_ layout: CheckpointLayout = .sedd) throws -> Data {
        switch self {
        case .diffusion(let network): try layout.data(network.configuration)
        case .autoregressive(let network): try network.configuration.jsonData()
        }
    }

    /// The network of a diffusion model.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if the model is autoregressive.
    public func diffusion() throws(SEDDError) -> ScoreNetwork {
        guard case .diffusion(let network) = self else {
            throw SEDDError(.usage, "the model is autoregressive; expected a diffusion model")
        }
        return network
    }

    /// The network of an autoregressive model.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if the model is a diffusion model.
    public func autoregressive() throws(SEDDError) -> AutoregressiveNetwork {
        guard case .autoregressive(let network) = self else {
            throw SEDDError(
                .usage, "the model is a diffusion model; expected an autoregressive one (GPT-2)")
        }
        return network
    }
}
