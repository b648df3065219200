extension TrainingConfiguration {
    /// The shape of the network; keys as in the released `config.json`.
    public struct Model: Sendable, Codable, Equatable {
        /// `diffusion` or `autoregressive`; short form `model: autoregressive`.
        public var type = ModelKind.diffusion
        /// d, the width of the trunk.
        public var hiddenSize = 192
        /// Width of the embedding of sigma.
        public var condDim = 128
        /// Tokens per block.
        public var length = 128
        /// Number of blocks.
        public var nBlocks = 4
        /// Attention heads; twice their number must divide the width.
        public var nHeads = 4
        /// Whether log(expm1 sigma) + log n is subtracted from the output; by default determined by graph and
        /// parametrisation.
        public var scaleBySigma = true
        /// Dropout probability on the output of each branch.
        public var dropout = 0.1
        /// Meaning of the outputs: scores, or the law of the clean token.
        public var parametrisation = Parametrisation.score
        /// How the network is conditioned on the noise.
        public var conditioning = Conditioning.sigma
        /// Whether the head's matrix is the embedding; autoregressive models always tie them.
        public var tiesEmbeddings = false
        /// Number of tokens that the network has beyond the tokenizer's; they have no text.
        public var padding = 0

        enum CodingKeys: String, CodingKey {
            case type, length, dropout, parametrisation, conditioning, padding
            case hiddenSize = "hidden_size", condDim = "cond_dim", nBlocks = "n_blocks", nHeads = "n_heads"
            case scaleBySigma = "scale_by_sigma", tiesEmbeddings = "tie_embeddings"
        }

        init() {}

        /// Reads the keys of `model`; additions since version 0.1 may be absent.
        public init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            type = try keys.decode(ModelKind.self, forKey: .type)
            hiddenSize = try keys.decode(Int.self, forKey: .hiddenSize)
            condDim = try keys.decode(Int.self, forKey: .condDim)
            length = try keys.decode(Int.self, forKey: .length)
            nBlocks = try keys.decode(Int.self, forKey: .nBlocks)
            nHeads = try keys.decode(Int.self, forKey: .nHeads)
            scaleBySigma = try keys.decode(Bool.self, forKey: .scaleBySigma)
            dropout = try keys.decode(Double.self, forKey: .dropout)
            // Plans of studies made by earlier versions lack these.
            parametrisation = try keys.decodeIfPresent(Parametrisation.self, forKey: .parametrisation) ?? .score
            conditioning = try keys.decodeIfPresent(Conditioning.self, forKey: .conditioning) ?? .sigma
            tiesEmbeddings = try keys.decodeIfPresent(Bool.self, forKey: .tiesEmbeddings) ?? false
            padding = try keys.decodeIfPresent(Int.self, forKey: .padding) ?? 0
        }
    }
}
