import Files

/// `config.json` of RADD, or its `.hydra/config.yaml`; keys that only its training uses are ignored.
struct RADDConfiguration: Codable, Equatable {
    struct Network: Codable, Equatable {
        var name: String? = "radd"
        var type: String? = "ddit_wot"
        var hiddenSize: Int
        // Unused: there are no layers on sigma.
        var condDim: Int?
        var length: Int
        var nBlocks: Int
        var nHeads: Int
        var dropout: Double
        // Keys that its loader expects.
        var useCheckpoint: Bool? = false
        var dtype: String? = "float32"

        enum CodingKeys: String, CodingKey {
            case name, type, length, dropout, dtype, hiddenSize = "hidden_size", condDim = "cond_dim"
            case nBlocks = "n_blocks", nHeads = "n_heads", useCheckpoint = "use_checkpoint"
        }
    }

    var tokens: Int
    var model: Network
    var noise: ModelConfiguration.Noise?
    var tokenizer: String?

    private static let usualCondition = 128

    /// The model that it describes, unchecked.
    func configuration() -> ModelConfiguration {
        ModelConfiguration(
            tokens: tokens, graph: .init(type: .absorb), noise: noise ?? .init(type: .loglinear),
            model: .init(
                hiddenSize: model.hiddenSize, condDim: model.condDim ?? Self.usualCondition, length: model.length,
                nBlocks: model.nBlocks, nHeads: model.nHeads, scaleBySigma: false, dropout: model.dropout,
                parametrisation: .cleanToken, conditioning: .none),
            tokenizer: tokenizer)
    }

    /// The configuration of a model that the layout can express.
    init(_ configuration: ModelConfiguration) {
        let own = configuration.model
        tokens = configuration.tokens
        model = Network(
            hiddenSize: own.hiddenSize, condDim: own.condDim, length: own.length, nBlocks: own.nBlocks,
            nHeads: own.nHeads, dropout: own.dropout)
        noise = configuration.noise
        tokenizer = configuration.tokenizer
    }
}
