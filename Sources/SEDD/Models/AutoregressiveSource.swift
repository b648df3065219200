import Files
import Foundation
import TensorFiles

/// Reads GPT-2's configuration and weights from any supported file format.
enum AutoregressiveSource {
    static let head = AutoregressiveNetwork.headName
    private static let embedding = AutoregressiveNetwork.embeddingName
    private static let prefix = "transformer."

    /// The configuration and the mapping from weights to tensors of the file; nil if the files describe another kind of
    /// model.
    ///
    /// - Parameter note: receives a line for each assumption made.
    /// - Throws: ``SEDDError`` or `FileError` that names the file, the key and what is wrong with it.
    static func read(
        _ source: ModelSource, note: (String) -> Void
    ) throws -> (configuration: AutoregressiveConfiguration, map: WeightMap)? {
        if case .nanoGPT(let arguments) = source.description {
            return try nanoGPT(source.weights, arguments, note: note)
        }
        guard let members = try source.members, members["model_type"] == .string("gpt2") || members["n_embd"] != nil
        else { return nil }
        var configuration = try source.decode(AutoregressiveConfiguration.self) { value throws(SEDDError) in
            try value.validate()
        }
        var map = try map(of: source.weights)
        try settleHead(&configuration, &map, isSaid: members["tie_word_embeddings"] != nil)
        return (configuration, map)
    }

    /// Names with or without the prefix `transformer.`; buffers are skipped.
    private static func map(of file: WeightFile) throws(SEDDError) -> WeightMap {
        var map = WeightMap(file)
        map.sources = [:]
        for name in file.entries.keys {
            let isBuffer = name.hasSuffix(".attn.bias") || name.hasSuffix(".attn.masked_bias")
            guard !isBuffer else { continue }
            let target = name.hasPrefix(prefix) || name == head ? name : prefix + name
            if let other = map.sources[target] {
                throw SEDDError(
                    .invalidData,
                    "\(file.path): holds both \([name, other.name].sorted().joined(separator: " and ")); expected one of them: save it again without the other"
                )
            }
            map.sources[target] = WeightMap.Source(name: name)
        }
        return map
    }

    /// Decides whether the head is tied to the embedding: a head that is absent or equal to the embedding is tied;
    /// otherwise it keeps its own weights.
    private static func settleHead(
        _ configuration: inout AutoregressiveConfiguration, _ map: inout WeightMap, isSaid: Bool
    ) throws {
        guard let source = map.sources[head] else {
            guard !isSaid || configuration.tiesHead != false else {
                throw SEDDError(
                    .invalidData,
                    "\(map.file.path): tie_word_embeddings is false, but there is no \(head); the model is incomplete")
            }
            return
        }
        guard let embedded = map.sources[embedding], configuration.tiesHead != false,
            try map.file.areEqual(source.name, embedded.name)
        else {
            configuration.tiesHead = false
            return
        }
        map.sources[head] = nil
    }

    /// A nanoGPT checkpoint: linear layers are [out, in], biases are optional, and GELU is exact.
    private static func nanoGPT(
        _ file: WeightFile, _ arguments: [String: PyTorchContent.Argument], note: (String) -> Void
    ) throws -> (configuration: AutoregressiveConfiguration, map: WeightMap) {
        func size(_ key: String) throws(SEDDError) -> Int {
            guard case .integer(let value)? = arguments[key] else {
                throw SEDDError(
                    .invalidData, "\(file.path): model_args lacks \(key); expected a checkpoint of nanoGPT")
            }
            return value
        }
        let vocabulary = try size("vocab_size")
        var configuration = AutoregressiveConfiguration(
            vocabulary: vocabulary, startToken: vocabulary > gpt2EndOfText ? gpt2EndOfText : 0,
            hiddenSize: try size("n_embd"), length: try size("block_size"), nBlocks: try size("n_layer"),
            nHeads: try size("n_head"), activation: "gelu")
        do { try configuration.validate() } catch {
            throw SEDDError(error.kind, "\(file.path): model_args: \(error.description)")
        }
        var map = try map(of: file)
        let layout = WeightLayout(configuration)
        for entry in layout.entries where entry.shape.count == 2 && entry.name.hasPrefix(prefix + "h.") {
            map.sources[entry.name]?.isTransposed = true
        }
        if arguments["bias"] == .flag(false) {
            map.zeros = Set(layout.entries.map(\.name).filter { $0.hasSuffix(".bias") && map.sources[$0] == nil })
        }
        try settleHead(&configuration, &map, isSaid: false)
        note(
            "\(file.path): a checkpoint of nanoGPT; read with its exact GELU, and token \(configuration.startToken) before the first"
        )
        return (configuration, map)
    }

    private static let gpt2EndOfText = 50256
}
