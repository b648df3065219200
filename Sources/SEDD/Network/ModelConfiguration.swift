import Files
public import Foundation

/// The `config.json` of a diffusion model, in the released schema.
///
/// Keys that only the reference's training uses are ignored. Additions are `tokenizer` (`byte`, `characters`, `gpt2` or
/// `hf`), `padding`, and keys of `model`.
public struct ModelConfiguration: Sendable, Codable, Equatable {
    /// The two Markov chains of score entropy models (equations 15 and 16).
    public enum GraphKind: String, Sendable, Codable, CaseIterable { case absorb, uniform }
    /// The two noise schedules.
    public enum NoiseKind: String, Sendable, Codable, CaseIterable { case loglinear, geometric }

    /// The Markov chain.
    public struct Graph: Sendable, Codable, Equatable {
        /// Absorbing or uniform.
        public var type: GraphKind
        // A key that the reference's loader expects.
        var file: String? = "data"
        var reportAll: Bool? = false

        enum CodingKeys: String, CodingKey { case type, file, reportAll = "report_all" }

        /// Creates a chain of the given kind.
        public init(type: GraphKind) { self.type = type }
    }

    /// The noise schedule.
    public struct Noise: Sendable, Codable, Equatable {
        /// Log-linear or geometric.
        public var type: NoiseKind
        /// Geometric: sigma(0). Unused by log-linear noise.
        public var sigmaMin: Double? = 1e-4
        /// Geometric: sigma(1). Unused by log-linear noise.
        public var sigmaMax: Double? = 20

        enum CodingKeys: String, CodingKey { case type, sigmaMin = "sigma_min", sigmaMax = "sigma_max" }

        /// Creates a schedule; `sigmaMin` and `sigmaMax` apply to geometric noise.
        public init(type: NoiseKind, sigmaMin: Double = 1e-4, sigmaMax: Double = 20) {
            self.type = type
            self.sigmaMin = sigmaMin
            self.sigmaMax = sigmaMax
        }
    }

    /// The transformer.
    public struct Network: Sendable, Codable, Equatable {
        var name: String? = "sedd"
        var type: String? = "ddit"
        /// d, the width of the trunk.
        public var hiddenSize: Int
        /// Width of the embedding of sigma.
        public var condDim: Int
        /// Sequence length used in training; others work too, because rotary positions need no table of weights.
        public var length: Int
        /// Number of blocks.
        public var nBlocks: Int
        /// Attention heads; twice their number must divide the width.
        public var nHeads: Int
        /// Whether log(expm1 sigma) + log n is subtracted from the output (absorb only; appendix C.2).
        public var scaleBySigma: Bool
        /// Dropout probability on the output of each branch during training.
        public var dropout: Double
        // Absent from the released schema, and from files that the released loader can use.
        private var declaredParametrisation: Parametrisation?
        private var declaredConditioning: Conditioning?
        private var declaredTie: Bool?

        /// The meaning of the head's outputs; scores by default.
        public var parametrisation: Parametrisation {
            get { declaredParametrisation ?? .score }
            set { declaredParametrisation = newValue == .score ? nil : newValue }
        }
        /// How the network is conditioned on the noise; by default on sigma.
        public var conditioning: Conditioning {
            get { declaredConditioning ?? .sigma }
            set { declaredConditioning = newValue == .sigma ? nil : newValue }
        }
        /// Whether the head's matrix is the embedding; by default it is a matrix of its own.
        public var tiesEmbeddings: Bool {
            get { declaredTie ?? false }
            set { declaredTie = newValue ? true : nil }
        }

        enum CodingKeys: String, CodingKey {
            case name, type, length, dropout
            case hiddenSize = "hidden_size", condDim = "cond_dim", nBlocks = "n_blocks", nHeads = "n_heads"
            case scaleBySigma = "scale_by_sigma"
            case declaredParametrisation = "parametrisation", declaredConditioning = "conditioning"
            case declaredTie = "tie_embeddings"
        }

        /// Creates a transformer of the given shape.
        public init(
            hiddenSize: Int, condDim: Int, length: Int, nBlocks: Int, nHeads: Int, scaleBySigma: Bool, dropout: Double,
            parametrisation: Parametrisation = .score, conditioning: Conditioning = .sigma, tiesEmbeddings: Bool = false
        ) {
            self.hiddenSize = hiddenSize
            self.condDim = condDim
            self.length = length
            self.nBlocks = nBlocks
            self.nHeads = nHeads
            self.scaleBySigma = scaleBySigma
            self.dropout = dropout
            self.parametrisation = parametrisation
            self.conditioning = conditioning
            self.tiesEmbeddings = tiesEmbeddings
            // Names under which the released code would load another kind of network.
            if parametrisation != .score || conditioning != .sigma || tiesEmbeddings { (name, type) = (nil, nil) }
        }
    }

    /// n, the vocabulary size of the tokenizer, with ``padding``.
    public var tokens: Int
    /// The Markov chain whose scores the model estimates.
    public var graph: Graph
    /// The noise schedule.
    public var noise: Noise
    /// Shape of the transformer.
    public var model: Network
    /// Kind of the tokenizer stored in the same folder; nil in released folders.
    public var tokenizer: String?
    /// How many of the tokens, the last ones, the tokenizer does not have; nil if the configuration does not say.
    public private(set) var padding: Int?

    /// Creates a configuration; ``validate()`` checks it.
    public init(
        tokens: Int, graph: Graph, noise: Noise, model: Network, tokenizer: String? = nil, padding: Int? = nil
    ) {
        self.tokens = tokens
        self.graph = graph
        self.noise = noise
        self.model = model
        self.tokenizer = tokenizer
        // 0 is stated only where its absence would mean something else.
        self.padding = padding == 0 && !isLikeDuo ? nil : padding
    }

    /// Whether the model is of the kind of Duo's, whose configuration does not state that the chain has a padding token.
    private var isLikeDuo: Bool { graph.type == .uniform && model.parametrisation == .cleanToken }

    /// The number of tokens without text beside a tokenizer of `vocabulary` tokens; nil if it cannot be the model's.
    public func padding(beside vocabulary: Int) -> Int? {
        let rest = tokens - vocabulary
        return rest == padding ?? 0 || padding == nil && isLikeDuo && rest == 1 ? rest : nil
    }

    /// V, the number of states of the chain.
    public var states: Int { graph.type == .absorb ? tokens + 1 : tokens }

    /// The chain of one position.
    public func makeGraph() -> any TransitionGraph {
        switch graph.type {
        case .absorb: AbsorbingGraph(tokens: tokens)
        case .uniform: UniformGraph(tokens: tokens)
        }
    }

    /// The noise schedule.
    public func makeNoise() throws(SEDDError) -> any NoiseSchedule {
        switch noise.type {
        case .loglinear: LogLinearNoise()
        case .geometric: try GeometricNoise(minimum: noise.sigmaMin ?? 1e-4, maximum: noise.sigmaMax ?? 20)
        }
    }

    /// Checks what the types cannot express.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` that names the key, its value and the expected value.
    public func validate() throws(SEDDError) {
        // The upper bounds exceed any machine and keep the number of weights representable as Int.
        let sizes = [
            ("tokens", tokens, 28), ("model.hidden_size", model.hiddenSize, 20), ("model.cond_dim", model.condDim, 20),
            ("model.length", model.length, 20), ("model.n_blocks", model.nBlocks, 14),
            ("model.n_heads", model.nHeads, 20),
        ]
        for (key, value, bits) in sizes where value < 1 || value > 1 << bits {
            throw SEDDError(.invalidData, "\(key) is \(value); expected a whole number from 1 to 2^\(bits)")
        }
        if let padding, !(0..<tokens).contains(padding) {
            throw SEDDError(.invalidData, "padding is \(padding); expected 0 to \(tokens - 1), less than tokens")
        }
        guard model.hiddenSize % model.nHeads == 0, (model.hiddenSize / model.nHeads) % 2 == 0 else {
            throw SEDDError(
                .invalidData,
                "model.hidden_size \(model.hiddenSize) over model.n_heads \(model.nHeads): expected an even width "
                    + "for each head; choose a width that 2 n_heads divides")
        }
        guard model.dropout >= 0, model.dropout < 1 else {
            throw SEDDError(.invalidData, "model.dropout is \(model.dropout); expected 0 <= dropout < 1")
        }
        guard graph.type == .absorb || !model.scaleBySigma else {
            throw SEDDError(
                .invalidData,
                "model.scale_by_sigma is true with graph.type uniform; expected false: the scale belongs to absorb")
        }
        guard model.parametrisation == .score || !model.scaleBySigma else {
            throw SEDDError(
                .invalidData,
                "model.scale_by_sigma is true with model.parametrisation cleanToken; expected false: a law of tokens is not scaled"
            )
        }
        _ = try makeNoise()
    }

    /// Reads and checks the `config.json` at `url`.
    ///
    /// - Throws: ``SEDDError`` of kind `missingInput` or `invalidData` that names the file and the key.
    public init(contentsOf url: URL) throws(SEDDError) {
        self = try ConfigurationJSON.read(url)
        do { try validate() } catch { throw SEDDError(error.kind, "\(url.path): \(error.description)") }
    }

    /// The contents of `config.json`, with every key that the reference's loader reads.
    public func jsonData() throws -> Data { try ConfigurationJSON.data(self) }
}
