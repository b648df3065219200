import Files
import Text
import Torch

/// Everything that a training run is a function of; `run.yaml`.
public struct TrainingConfiguration: Sendable, Codable, Equatable {
    /// The kinds of model that the same trainer trains.
    public enum ModelKind: String, Sendable, Codable, CaseIterable {
        /// Score entropy discrete diffusion.
        case diffusion
        /// GPT-2: from left to right. It has no use for the keys of graph, noise and sigma.
        case autoregressive
    }

    /// The shape of the network; keys as in the released `config.json`.
    public struct Model: Sendable, Codable, Equatable {
        /// `diffusion` or `autoregressive`; `model: autoregressive` says this alone.
        public var type = ModelKind.diffusion
        /// d, the width of the trunk.
        public var hiddenSize = 192
        /// Width of the embedding of sigma.
        public var condDim = 128
        /// Positions of a block.
        public var length = 128
        /// Blocks of the trunk.
        public var nBlocks = 4
        /// Attention heads; twice their number divides the width.
        public var nHeads = 4
        /// Whether log(expm1 sigma) + log n is subtracted from the output; it follows the graph unless it is named.
        public var scaleBySigma = true
        /// Share of a branch's outputs that training drops.
        public var dropout = 0.1

        enum CodingKeys: String, CodingKey {
            case type, length, dropout
            case hiddenSize = "hidden_size", condDim = "cond_dim", nBlocks = "n_blocks", nHeads = "n_heads"
            case scaleBySigma = "scale_by_sigma"
        }
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

    /// What is trained on.
    public struct DataSource: Sendable, Codable, Equatable {
        /// Texts (plain or JSON) and token files (`.bin`), one after the other.
        public var files: [String] = []
        /// Share of the tokens, the last ones, that are kept for validation.
        public var heldOut = 0.1
        /// Share of the windows that begin where a document begins; the others begin at any token.
        public var documentStarts = 0.0

        enum CodingKeys: String, CodingKey {
            case files, heldOut = "held_out", documentStarts = "document_starts"
        }
    }

    /// How long, in what batches, and what is looked at along the way.
    public struct Training: Sendable, Codable, Equatable {
        /// Sequences a step, over all its parts.
        public var batchSize = 16
        /// Parts that a step's batch is worked on in, to save memory.
        public var accum = 1
        /// Steps.
        public var nIters = 2500
        /// Decay of the moving average, once warm, where `ema_horizon` is null.
        public var ema = 0.9999
        /// Steps that the moving average looks back on, or below 1 a share of the run; null for what `ema` says. The decay is
        /// 1 - 1 / horizon; the average is warmed up, so early in a run it looks back on a ninth of the steps at most.
        public var emaHorizon: Double?
        /// What every random number follows from.
        public var seed: UInt64 = 0
        /// Times are drawn from here to 1.
        public var smallestTime = 1e-3
        /// What they are drawn from.
        public var timeDensity = TimeDensity()
        /// What the loss of a sequence at time t is multiplied by: `bound` leaves the likelihood bound as it is, `time` is 2 t,
        /// which under log-linear noise counts every masked token alike.
        public var lossWeight = LossWeight.bound
        /// Whether sequences come in pairs of one text at one time, whose masks complement each other.
        public var complementary = false
        /// Folder of the model whose weights the run starts from; null for weights of its own.
        public var from: String?
        /// Names of weights that stay as they are, `*` standing for any characters: `[blocks.0.*, vocab_embed.*]`.
        public var freeze: [String] = []
        /// Steps between lines of metrics.jsonl.
        public var logFreq = 10
        /// Steps between validations.
        public var evalFreq = 250
        /// Held-out blocks of a validation.
        public var evalBlocks = 64
        /// Stratified times for each of them.
        public var evalTimes = 4
        /// Steps between checkpoints.
        public var snapshotFreq = 250
        /// Checkpoints that are kept beside the best.
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

    /// Samples along the way.
    public struct Sampling: Sendable, Codable, Equatable {
        /// How they are drawn; its keys stand beside ``count``.
        public var settings = SamplingSettings(steps: 64)
        /// Sequences of each sample along the way.
        public var count = 2

        private enum CodingKeys: String, CodingKey { case count }

        init() {}

        public init(from decoder: any Decoder) throws {
            settings = try SamplingSettings(from: decoder)
            count = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .count)
        }

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
    /// The texts.
    public var data = DataSource()
    /// The course of the run.
    public var training = Training()
    /// The optimizer.
    public var optim = Optimizer()
    /// The samples along the way.
    public var sampling = Sampling()

    /// The defaults: what `tiny-cpu` differs from.
    public init() {}

    /// The configuration of the model that this run makes.
    ///
    /// - Parameters:
    ///   - tokens: tokens of the tokenizer.
    ///   - kind: which tokenizer's files lie beside the model.
    public func modelConfiguration(tokens: Int, kind: String) -> ModelConfiguration {
        ModelConfiguration(
            tokens: tokens, graph: .init(type: graph.type),
            noise: .init(type: noise.type, sigmaMin: noise.sigmaMin, sigmaMax: noise.sigmaMax),
            model: .init(
                hiddenSize: model.hiddenSize, condDim: model.condDim, length: model.length, nBlocks: model.nBlocks,
                nHeads: model.nHeads, scaleBySigma: model.scaleBySigma, dropout: model.dropout),
            tokenizer: kind)
    }

    /// The configuration of the left-to-right model of the same width, depth and length.
    ///
    /// - Parameters:
    ///   - tokens: tokens of the tokenizer.
    ///   - endOfText: the token that separates documents, where the tokenizer has one.
    ///   - kind: which tokenizer's files lie beside the model.
    public func autoregressiveConfiguration(tokens: Int, endOfText: Int?, kind: String) -> AutoregressiveConfiguration {
        AutoregressiveConfiguration(
            tokens: tokens, endOfText: endOfText, hiddenSize: model.hiddenSize, length: model.length,
            nBlocks: model.nBlocks, nHeads: model.nHeads, dropout: model.dropout, tokenizer: kind)
    }

    /// A model with first values, and how it learns.
    func makeLearner(
        tokenizer: any Tokenizer, device: Device, precision: Precision? = nil
    ) throws -> any Learner {
        let (tokens, kind) = (tokenizer.vocabularySize, tokenizer.kind)
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
            return LeftToRightLearner(
                self, network: try AutoregressiveNetwork(made, seed: training.seed, device: device))
        }
    }

    /// Checks what the types cannot say.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` that names the key, what it is and what it should be.
    public func validate() throws(SEDDError) {
        try modelConfiguration(tokens: 256, kind: tokenizer).validate()
        try validateSampling()
        let counts = [
            ("training.batch_size", training.batchSize), ("training.accum", training.accum),
            ("training.n_iters", training.nIters), ("training.log_freq", training.logFreq),
            ("training.eval_freq", training.evalFreq), ("training.eval_blocks", training.evalBlocks),
            ("training.eval_times", training.evalTimes), ("training.snapshot_freq", training.snapshotFreq),
            ("training.keep", training.keep), ("sampling.count", sampling.count),
        ]
        for (key, value) in counts where !(1...Self.greatestCount).contains(value) {
            throw Self.bad(key, value, "1 to \(Self.greatestCount)")
        }
        for (key, value) in [("training.sample_freq", training.sampleFreq), ("optim.warmup", optim.warmup)]
        where !(0...Self.greatestCount).contains(value) { throw Self.bad(key, value, "0 to \(Self.greatestCount)") }
        // Products of the two are numbers still, and a part of a step fits the engine's indices.
        guard training.batchSize <= Self.greatestTokens / model.length else {
            throw Self.bad(
                "training.batch_size", training.batchSize,
                "at most \(Self.greatestTokens) tokens a step, with a model.length of \(model.length)")
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

    /// Counts that a person may ask for; products of two of them are numbers still.
    private static let greatestCount = 1_000_000_000
    /// Tokens of a step.
    private static let greatestTokens = 1 << 31

    /// Samples are drawn hours after they were asked for: what cannot be drawn is refused before.
    private func validateSampling() throws(SEDDError) {
        do {
            if model.type == .diffusion {
                let process = try DiffusionProcess(modelConfiguration(tokens: 256, kind: tokenizer))
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
