import Files
public import Foundation
public import Text
import Torch

/// A model whose training is continued: its shape, weights and tokenizer.
public struct StartingModel: Sendable {
    /// The model folder.
    public let folder: URL
    private let model: LanguageModel

    /// - Parameter url: a model folder, or a run, whose newest checkpoint is used.
    /// - Throws: ``SEDDError`` or `TorchError` that names the file and what is wrong with it.
    public init(contentsOf url: URL) throws {
        let newest = url.appending(path: "checkpoints/last")
        let isRun =
            !FileManager.default.fileExists(atPath: url.appending(path: "config.json").path)
            && FileManager.default.fileExists(atPath: newest.appending(path: "config.json").path)
        folder = (isRun ? newest : url).resolvingSymlinksInPath()
        model = try LanguageModel.load(folder)
    }

    /// Sets the model's shape, chain and schedule in `configuration`, and its tokenizer if the folder contains one.
    public func adopt(into configuration: inout TrainingConfiguration) {
        for (_, adopt, _) in keys(of: configuration) { adopt(&configuration) }
        configuration.model.length = model.length
        if let specification { configuration.tokenizer = specification }
    }

    /// The tokenizer in the folder, as specified in a configuration; nil if there is none.
    public var specification: String? {
        switch model.tokenizer {
        case ByteTokenizer.kind: ByteTokenizer.kind
        case CharacterTokenizer.kind:
            "\(CharacterTokenizer.kind):\(folder.appending(path: CharacterTokenizer.fileName).path)"
        case let kind?: "\(kind):\(folder.path)"
        case nil: nil
        }
    }

    /// The number of tokens that the model has beyond the tokenizer's; nil if the tokenizer cannot be the model's,
    /// or if the model is autoregressive and has any: such models are not trained here.
    public func padding(beside tokenizer: any Tokenizer) -> Int? {
        guard let padding = model.padding(beside: tokenizer.vocabularySize) else { return nil }
        if case .autoregressive = model, padding > 0 { return nil }
        return padding
    }

    /// Checks that `configuration` describes this model; dropout and, for models without position weights, length may
    /// differ.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` that names each key that differs.
    public func requireShape(of configuration: TrainingConfiguration) throws(SEDDError) {
        let differences = keys(of: configuration).compactMap { key, _, values in
            values.0 == values.1 ? nil : "\(key) is \(values.0), the model has \(values.1)"
        }
        guard differences.isEmpty else {
            throw SEDDError(
                .usage,
                "--from \(folder.path): \(differences.joined(separator: "; ")); leave --config out to take the model's own shape, or set these keys"
            )
        }
    }

    /// Checks that `tokenizer` assigns the same meaning to ids as the model.
    ///
    /// - Parameter padding: the number of tokens that the trained network has beyond the tokenizer's.
    /// - Throws: ``SEDDError`` of kind `usage` if vocabularies differ in size or, if the folder contains a tokenizer,
    ///   in content; `TextError` if that tokenizer is damaged.
    public func requireTokenizer(_ tokenizer: any Tokenizer, padding: Int = 0) throws {
        guard let ownPadding = self.padding(beside: tokenizer) else {
            throw SEDDError(
                .usage,
                "--from \(folder.path): the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(model.vocabularyDescription); train with the model's own tokenizer"
            )
        }
        guard padding == ownPadding else {
            throw SEDDError(
                .usage,
                "--from \(folder.path): model.padding is \(padding); the model has \(ownPadding) token\(ownPadding == 1 ? "" : "s") beyond the \(tokenizer.vocabularySize) of the tokenizer"
            )
        }
        try requireTrainable(with: tokenizer)
        guard let kind = model.tokenizer else { return }
        let own: any Tokenizer
        do { own = try Tokenizers.load(kind: kind, folder: folder) } catch {
            guard error.kind == .missingInput else { throw error }
            return
        }
        guard own.fingerprint == tokenizer.fingerprint else {
            throw SEDDError(
                .usage,
                "--from \(folder.path): the tokenizer (\(tokenizer.kind), fingerprint \(tokenizer.fingerprint)) is not the model's (\(own.kind), \(own.fingerprint)), so the same ids would stand for other text; train with the model's own tokenizer"
            )
        }
    }

    /// Checks that an autoregressive model has nothing that a trained one of its shape would not have.
    private func requireTrainable(with tokenizer: any Tokenizer) throws(SEDDError) {
        guard case .autoregressive(let network) = model else { return }
        let own = network.configuration
        let made = TrainingConfiguration().autoregressiveConfiguration(
            tokens: tokenizer.vocabularySize, endOfText: tokenizer.endOfText.map { Int($0) }, kind: tokenizer.kind)
        let differences = [
            ("activation_function", own.activation ?? "gelu_new", made.activation ?? "gelu_new"),
            ("layer_norm_epsilon", "\(own.normEpsilon)", "\(made.normEpsilon)"),
            ("the start token", "\(own.startToken)", "\(made.startToken)"),
        ].filter { $0.1 != $0.2 }
        guard differences.isEmpty else {
            throw SEDDError(
                .usage,
                "--from \(folder.path): \(differences.map { "\($0.0) is \($0.1), trained models have \($0.2)" }.joined(separator: "; ")); such a model cannot be trained further here"
            )
        }
    }

    /// Overwrites `weights` with those of the model.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` naming the tensors that differ in shape.
    func copy(into weights: Weights) throws {
        let source = model.weights
        let found = Dictionary(uniqueKeysWithValues: source.layout.entries.map { ($0.name, $0.shape) })
        let expected = Dictionary(uniqueKeysWithValues: weights.layout.entries.map { ($0.name, $0.shape) })
        let differences = Set(found.keys).union(expected.keys).sorted().filter { found[$0] != expected[$0] }
        guard differences.isEmpty else {
            let named = differences.prefix(5).map { name in
                "\(name): expected \(expected[name].map { "\($0)" } ?? "none"), found \(found[name].map { "\($0)" } ?? "none")"
            }
            throw SEDDError(
                .invalidData,
                "\(folder.path): the weights are not those of the configuration: \(named.joined(separator: "; "))")
        }
        for entry in weights.layout.entries { try weights(entry.name).copyInPlace(source(entry.name).detached()) }
        try weights.refreshBFloat16Copy()
    }

    private typealias Key = (
        name: String, adopt: (inout TrainingConfiguration) -> Void, values: (configured: String, own: String)
    )

    /// The keys that a model fixes.
    private func keys(of configuration: TrainingConfiguration) -> [Key] {
        func key<Value>(
            _ name: String, _ path: WritableKeyPath<TrainingConfiguration, Value>, _ own: Value
        ) -> Key {
            (name, { $0[keyPath: path] = own }, ("\(configuration[keyPath: path])", "\(own)"))
        }
        switch model {
        case .diffusion(let network):
            let own = network.configuration
            var keys = [
                key("model.type", \.model.type, .diffusion),
                key("model.hidden_size", \.model.hiddenSize, own.model.hiddenSize),
                key("model.cond_dim", \.model.condDim, own.model.condDim),
                key("model.n_blocks", \.model.nBlocks, own.model.nBlocks),
                key("model.n_heads", \.model.nHeads, own.model.nHeads),
                key("model.scale_by_sigma", \.model.scaleBySigma, own.model.scaleBySigma),
                key("model.parametrisation", \.model.parametrisation, own.model.parametrisation),
                key("model.conditioning", \.model.conditioning, own.model.conditioning),
                key("model.tie_embeddings", \.model.tiesEmbeddings, own.model.tiesEmbeddings),
                key("graph.type", \.graph.type, own.graph.type), key("noise.type", \.noise.type, own.noise.type),
            ]
            if own.noise.type == .geometric {
                keys.append(key("noise.sigma_min", \.noise.sigmaMin, own.noise.sigmaMin ?? 1e-4))
                keys.append(key("noise.sigma_max", \.noise.sigmaMax, own.noise.sigmaMax ?? 20))
            }
            return keys
        case .autoregressive(let network):
            let own = network.configuration
            return [
                key("model.type", \.model.type, .autoregressive),
                key("model.hidden_size", \.model.hiddenSize, own.hiddenSize),
                key("model.length", \.model.length, own.length), key("model.n_blocks", \.model.nBlocks, own.nBlocks),
                key("model.n_heads", \.model.nHeads, own.nHeads),
            ]
        }
    }
}
