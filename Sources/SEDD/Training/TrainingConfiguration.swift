import Files
import Text
import Torch

/// The configuration of a training run, `run.yaml`; it determines the run.
public struct TrainingConfiguration: Sendable, Codable, Equatable {
    /// The kinds of model that can be trained.
    public enum ModelKind: String, Sendable, Codable, CaseIterable {
        /// Score entropy discrete diffusion.
        case diffusion
        /// GPT-2. The keys of graph, noise and sigma do not apply.
        case autoregressive
    }

    /// The Markov chain.
    public struct Graph: Sendable, Codable, Equatable {
        /// `absorb` or `uniform`.
        public var type = ModelConfiguration.GraphKind.absorb
    }

    /// The noise schedule.
    public struct Noise: Sendable, Codable, Equatable {
        /// `loglinear` or `geometric`.
        public var type = ModelConfiguration.NoiseKind.loglinear
        /// Geometric: sigma(0).
        public var sigmaMin = 1e-4
        /// Geometric: sigma(1).
        public var sigmaMax = 20.0

        enum CodingKeys: String, CodingKey { case type, sigmaMin = "sigma_min", sigmaMax = "sigma_max" }
    }

    /// The training data.
    public struct DataSource: Sendable, Codable, Equatable {
        /// Texts (plain or JSON) and token files (`.bin`), concatenated.
        public var files: [String] = []
        /// Fraction of the tokens, at the end, held out for validation.
        public var heldOut = 0.1
        /// Fraction of the windows that start at a document start; others start at any token.
        public var documentStarts = 0.0

        enum CodingKeys: String, CodingKey {
            case files, heldOut = "held_out", documentStarts = "document_starts"
        }
    }

    /// Duration, batches, objective, and what is logged.
    public struct Training: Sendable, Codable, Equatable {
        /// Sequences per step, over all accumulation steps.
        public var batchSize = 16
        /// Gradient accumulation steps, to save memory.
        public var accum = 1
        /// Number of training steps.
        public var nIters = 2500
        /// Decay of the moving average after warm-up, if `ema_horizon` is null.
        public var ema = 0.9999
        /// Horizon of the moving average in steps, or below 1 as a fraction of the run; null for `ema`. The decay is 1
        /// - 1 / horizon; because of warm-up, the horizon is at most a ninth of the steps so far.
        public var emaHorizon: Double?
        /// Seed of the run.
        public var seed: UInt64 = 0
        /// Smallest diffusion time; the largest is 1.
        public var smallestTime = 1e-3
        /// Density of diffusion times.
        public var timeDensity = TimeDensity()
        /// Weight of the loss at time t: `bound` is that of the likelihood bound, `time` is 2 t times it, which under
        /// log-linear noise is equal for every masked token.
        public var lossWeight = LossWeight.bound
        /// Whether sequences come in antithetic pairs: one text at one time, with complementary masks.
        public var complementary = false
        /// Folder of the model from whose weights training starts; null for random weights.
        public var from: String?
        /// Names of weights not to train; `*` matches any characters: `[blocks.0.*, vocab_embed.*]`.
        public var freeze: [String] = []
        /// Steps between lines of metrics.jsonl.
        public var logFreq = 10
        /// Steps between validations.
        public var evalFreq = 250
        /// Held-out blocks per validation.
        public var evalBlocks = 64
        /// Stratified times per validation block.
        public var evalTimes = 4
        /// Steps between checkpoints.
        public var snapshotFreq = 250
        /// Checkpoints to keep besides the best.
        public var keep = 2
        /// Steps between samples; 0 for none.
        public var sampleFreq = 500

        enum CodingKeys: String, CodingKey {
            case accum, ema, seed, keep, emaHorizon = "ema_horizon", timeDensity = "time_density"
            case lossWeight = "loss_weight", complementary, freeze, from
            case batchSize = "batch_size", nIters = "n_iters", smallestTime = "smallest_time", logFreq = "log_freq"
            case evalFreq = "eval_freq", evalBlocks = "eval_blocks", evalTimes = "eval_times"
            case snapshotFreq = "snapshot_freq", sampleFreq = "sample_freq"
        }
    }

    /// Samples drawn during training.
    public struct Sampling: Sendable, Codable, Equatable {
        /// How they are drawn; its keys are beside ``count``.
        public var settings = SamplingSettings(steps: 64)
        /// Sequences per sample.
        public var count = 2

        private enum CodingKeys: String, CodingKey { case count }

        init() {}

        /// Reads the sampling settings and the count, which stand side by side.
        public init(from decoder: any Decoder) throws {
            settings = try SamplingSettings(from: decoder)
            count = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .count)
        }

        /// Writes the sampling settings and the count side by side.
        public func encode(to encoder: any Encoder) throws {
            try settings.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(count, forKey: .count)
        }
    }

    /// The network.
    public var model = Model()
    /// `byte`, `characters` (of the data), `characters:FILE`, `gpt2:DIR` or `hf:PATH`.
    public var tokenizer = "byte"
    /// The chain.
    public var graph = Graph()
    /// The schedule.
    public var noise = Noise()
    /// The data.
    public var data = DataSource()
    /// The training procedure.
    public var training = Training()
    /// The optimizer.
    public var optim = Optimizer()
    /// The samples drawn during training.
    public var sampling = Sampling()

    /// The defaults; presets contain only differences from them.
    public init() {}

    /// Whether a model with this graph and parametrisation is scaled by sigma by default.
    var scalesBySigma: Bool { graph.type == .absorb && model.parametrisation == .score }

    /// The configuration of the resulting model.
    ///
    /// - Parameters:
    ///   - tokens: vocabulary size of the tokenizer, and padding.
    ///   - kind: kind of the tokenizer stored with the model.
    public func modelConfiguration(tokens: Int, kind: String) -> ModelConfiguration {
        ModelConfiguration(
            tokens: tokens, graph: .init(type: graph.type),
            noise: .init(type: noise.type, sigmaMin: noise.sigmaMin, sigmaMax: noise.sigmaMax),
            model: .init(
                hiddenSize: model.hiddenSize, condDim: model.condDim, length: model.length, nBlocks: model.nBlocks,
                nHeads: model.nHeads, scaleBySigma: model.scaleBySigma, dropout: model.dropout,
                parametrisation: model.parametrisation, conditioning: model.conditioning,
                tiesEmbeddings: model.tiesEmbeddings),
            tokenizer: kind, padding: model.padding)
    }

    /// The configuration of the autoregressive model of the same width, depth and length.
    ///
    /// - Parameters:
    ///   - tokens: vocabulary size of the tokenizer.
    ///   - endOfText: the token that separates documents, if the tokenizer has one.
    ///   - kind: kind of the tokenizer stored with the model.
    public func autoregressiveConfiguration(tokens: Int, endOfText: Int?, kind: String) -> AutoregressiveConfiguration {
        AutoregressiveConfiguration(
            tokens: tokens, endOfText: endOfText, hiddenSize: model.hiddenSize, length: model.length,
            nBlocks: model.nBlocks, nHeads: model.nHeads, dropout: model.dropout, tokenizer: kind)
    }

    /// Creates an initialized model and its learner.
    func makeLearner(
        tokenizer: any Tokenizer, device: Device, precision: Precision? = nil
    ) throws -> any Learner {
        let (tokens, kind) = (tokenizer.vocabularySize + model.padding, tokenizer.kind)
        switch model.type {
        case .diffusion:
            let network = try ScoreNetwork(
                modelConfiguration(tokens: tokens, kind: kind), seed: training.seed, device: device,
                precision: precision)
            return try ScoreLearner(self, network: network)
        case .autoregressive:
            try LanguageModel.requireFloat32(precision)
            let made = autoregressiveConfiguration(
                tokens: tokens, endOfText: tokenizer.endOfText.map { Int($0) }, kind: kind)
            return NextTokenLearner(
                self, network: try AutoregressiveNetwork(made, seed: training.seed, device: device))
        }
    }

    /// Checks what the types cannot express.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` that names the key, its value and the expected value.
    public func validate() throws(SEDDError) {
        let greatestPadding = model.type == .diffusion ? Self.greatestHeld : 0
        guard (0...greatestPadding).contains(model.padding) else {
            throw Self.bad(
                "model.padding", model.padding,
                greatestPadding == 0 ? "0 with model.type autoregressive" : "0 to \(greatestPadding)")
        }
        try modelConfiguration(tokens: 256 + model.padding, kind: tokenizer).validate()
        try validateSampling()
        let counts = [
            ("training.batch_size", training.batchSize), ("training.accum", training.accum),
            ("training.n_iters", training.nIters), ("training.log_freq", training.logFreq),
            ("training.eval_freq", training.evalFreq), ("training.eval_blocks", training.evalBlocks),
            ("training.snapshot_freq", training.snapshotFreq), ("training.keep", training.keep),
        ]
        for (key, value) in counts where !(1...Self.greatestCount).contains(value) {
            throw Self.bad(key, value, "1 to \(Self.greatestCount)")
        }
        // Numbers of things that are held in memory together, per block or per sample.
        for (key, value) in [("training.eval_times", training.evalTimes), ("sampling.count", sampling.count)]
        where !(1...Self.greatestHeld).contains(value) { throw Self.bad(key, value, "1 to \(Self.greatestHeld)") }
        for (key, value) in [("training.sample_freq", training.sampleFreq), ("optim.warmup", optim.warmup)]
        where !(0...Self.greatestCount).contains(value) { throw Self.bad(key, value, "0 to \(Self.greatestCount)") }
        // The products fit Int, and an accumulation step fits libtorch's indices.
        guard training.batchSize <= Self.greatestTokens / model.length else {
            throw Self.bad(
                "training.batch_size", training.batchSize,
                "at most \(Self.greatestTokens) tokens per step, with a model.length of \(model.length)")
        }
        for (key, value) in [("training.ema", training.ema), ("data.held_out", data.heldOut)]
        where !(value >= 0 && value < 1) { throw Self.bad(key, value, "0 <= value < 1") }
        try training.validateObjective()
        try optim.validate(steps: training.nIters)
        guard data.documentStarts >= 0, data.documentStarts <= 1 else {
            throw Self.bad("data.document_starts", data.documentStarts, "0 to 1")
        }
        guard training.batchSize % training.accum == 0 else {
            throw Self.bad("training.batch_size", training.batchSize, "a multiple of training.accum, \(training.accum)")
        }
    }

    /// The upper bound on counts given by users; products of two of them fit Int.
    private static let greatestCount = 1_000_000_000
    /// The upper bound on counts of things that are held in memory together.
    private static let greatestHeld = 1_000_000
    /// Maximum tokens per step.
    private static let greatestTokens = 1 << 31

    /// Samples are drawn hours later: invalid settings are refused now.
    private func validateSampling() throws(SEDDError) {
        do {
            if model.type == .diffusion {
                let process = try DiffusionProcess(modelConfiguration(tokens: 256 + model.padding, kind: tokenizer))
                _ = try SamplingMethods.make(sampling.settings, for: process)
            } else {
                try sampling.settings.validate()
            }
        } catch { throw SEDDError(.invalidData, "sampling: \(error.description)") }
    }

    static func bad(_ key: String, _ value: some Any, _ expected: String) -> SEDDError {
        SEDDError(.invalidData, "\(key) is \(value); expected \(expected)")
    }
}
