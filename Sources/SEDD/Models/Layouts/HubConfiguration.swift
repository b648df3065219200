import Files

/// `config.json` of MDLM, BD3-LM and Duo, as their classes for the transformers library write it.
struct HubConfiguration: Codable, Equatable {
    var modelType: String
    /// V, the number of states: under absorption the last one is MASK.
    var vocabSize: Int
    var modelLength: Int
    var hiddenDim: Int
    var condDim: Int
    var nBlocks: Int
    var nHeads: Int
    var dropout: Double
    /// Whether the network is conditioned on sigma rather than on 0; true by default for Duo.
    var timeConditioning: Bool?
    var causal: Bool?
    // BD3-LM.
    var blockSize: Int?
    var crossAttn: Bool?
    var adaln: Bool?
    var attnBackend: String?
    // How BD3-LM draws mask rates in training.
    var varMin: Bool?
    var samplingEpsMin: Double?
    var samplingEpsMax: Double?
    /// An addition, as in ``ModelConfiguration/tokenizer``.
    var tokenizer: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case modelType = "model_type", vocabSize = "vocab_size", modelLength = "model_length", hiddenDim = "hidden_dim"
        case condDim = "cond_dim", nBlocks = "n_blocks", nHeads = "n_heads", dropout
        case timeConditioning = "time_conditioning", causal, blockSize = "block_size", crossAttn = "cross_attn", adaln
        case attnBackend = "attn_backend", varMin = "var_min", samplingEpsMin = "sampling_eps_min"
        case samplingEpsMax = "sampling_eps_max", tokenizer
    }

    private static let ofBlocks: Set<CodingKeys> = [
        .blockSize, .crossAttn, .adaln, .attnBackend, .varMin, .samplingEpsMin, .samplingEpsMax,
    ]

    /// Keys that the transformers library adds to any configuration and that do not affect the network.
    private static let general: Set<String> = [
        "architectures", "auto_map", "bos_token_id", "chunk_size_feed_forward", "dtype", "eos_token_id", "id2label",
        "label2id", "mask_token_id", "output_attentions", "output_hidden_states", "pad_token_id", "problem_type",
        "return_dict", "sep_token_id", "tokenizer_class", "torch_dtype", "transformers_version", "use_bfloat16",
    ]

    /// Refuses keys whose meaning for the network is not known.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` that names the first one and the expected ones.
    static func requireKnown(
        _ members: [String: JSONValue], layout: CheckpointLayout, place: String
    ) throws(SEDDError) {
        var keys = Set(CodingKeys.allCases)
        if layout != .bd3lm { keys.subtract(ofBlocks) }
        if layout == .mdlm { keys.remove(.causal) }
        let known = Set(keys.map(\.rawValue))
        let others = members.keys.filter { !known.contains($0) && !general.contains($0) && !$0.hasPrefix("_") }.sorted()
        guard let first = others.first else { return }
        throw SEDDError(
            .invalidData,
            "\(place): the key '\(first.prefix(100))' is not one of \(layout.title)'s: expected \(known.sorted().joined(separator: ", "))"
        )
    }

    /// Checks what the types cannot express.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` that names the key, its value and the expected value.
    func validate(_ layout: CheckpointLayout) throws(SEDDError) {
        func bad(_ key: CodingKeys, _ value: some Any, _ expected: String) -> SEDDError {
            SEDDError(.invalidData, "\(key.rawValue) is \(value); expected \(expected)")
        }
        let sizes: [(CodingKeys, Int, Int)] = [
            (.vocabSize, vocabSize, 28), (.modelLength, modelLength, 20), (.hiddenDim, hiddenDim, 20),
            (.condDim, condDim, 20), (.nBlocks, nBlocks, 14), (.nHeads, nHeads, 20),
        ]
        for (key, value, bits) in sizes where value < (key == .vocabSize ? 2 : 1) || value > 1 << bits {
            throw bad(key, value, "a whole number from \(key == .vocabSize ? 2 : 1) to 2^\(bits)")
        }
        guard causal != true else { throw bad(.causal, true, "false: an autoregressive model is not supported") }
        guard layout == .duo || timeConditioning != nil else {
            throw SEDDError(
                .invalidData, "\(CodingKeys.timeConditioning.rawValue) is missing; expected true or false")
        }
        if layout == .bd3lm {
            guard let blockSize else {
                throw SEDDError(.invalidData, "\(CodingKeys.blockSize.rawValue) is missing; expected model_length")
            }
            guard blockSize >= 1, modelLength % blockSize == 0 else {
                throw bad(.blockSize, blockSize, "a divisor of model_length, \(modelLength)")
            }
            guard blockSize == modelLength else {
                throw bad(
                    .blockSize, blockSize,
                    "model_length, \(modelLength): attention that is causal over blocks is not supported")
            }
            guard adaln != false else { throw bad(.adaln, false, "true: this layout has layers on sigma") }
        }
        try configuration(layout).validate()
    }

    /// The model that it describes; sizes have been checked.
    func configuration(_ layout: CheckpointLayout) -> ModelConfiguration {
        let isUniform = layout == .duo
        let isConditioned = timeConditioning ?? isUniform
        return ModelConfiguration(
            tokens: isUniform ? vocabSize : vocabSize - 1, graph: .init(type: isUniform ? .uniform : .absorb),
            noise: .init(type: .loglinear),
            model: .init(
                hiddenSize: hiddenDim, condDim: condDim, length: modelLength, nBlocks: nBlocks, nHeads: nHeads,
                scaleBySigma: false, dropout: dropout, parametrisation: .cleanToken,
                conditioning: isConditioned ? .sigma : .zero),
            tokenizer: tokenizer)
    }

    /// The configuration of a model that the layout can express.
    init(_ configuration: ModelConfiguration, _ layout: CheckpointLayout) {
        let model = configuration.model
        modelType = layout == .duo ? "DUO" : layout.rawValue
        vocabSize = configuration.states
        (modelLength, hiddenDim, condDim) = (model.length, model.hiddenSize, model.condDim)
        (nBlocks, nHeads, dropout) = (model.nBlocks, model.nHeads, model.dropout)
        timeConditioning = model.conditioning == .sigma
        tokenizer = configuration.tokenizer
        if layout != .mdlm { causal = false }
        guard layout == .bd3lm else { return }
        (blockSize, crossAttn, adaln, attnBackend) = (model.length, true, true, "sdpa")
    }
}
