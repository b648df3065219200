import Files
import Text

/// What a study compares, and at what size; stored as `plan.json` in its folder.
public struct StudyPlan: Sendable, Codable, Equatable {
    /// The models of a study.
    public enum Role: String, Sendable, Codable, CaseIterable {
        /// Autoregressive, as large as the diffusion models.
        case autoregressive
        /// Diffusion with the absorbing chain, log-linear noise.
        case absorb
        /// Diffusion with the uniform chain, geometric noise.
        case uniform
        /// Autoregressive, half as wide again and with another seed: scores the samples of the others.
        case judge
    }

    /// What all models share: width, depth, length, tokens, data, steps.
    public var base: TrainingConfiguration
    /// Texts per setting.
    public var count = 64
    /// Step counts to compare.
    public var steps = [4, 8, 16, 32, 64, 128, 256, 512, 1024]
    /// Methods to compare, at all step counts, as far as they can reverse the model's chain; prompted texts use the
    /// first.
    public var samplers = [SamplingSettings(), SamplingSettings(method: "euler")]
    /// Steps of prompted texts.
    public var promptedSteps = 128
    /// Prompted texts per setting.
    public var promptedCount = 128
    /// Top-p of the autoregressive model's nucleus.
    public var nucleus = 0.95
    /// Held-out blocks for perplexities.
    public var blocks = 256
    /// Stratified times per block.
    public var timeSamples = 16

    /// Precision in which the diffusion models are trained, if it is not the device's standard precision.
    public var precision: Precision?

    /// Time budget that the study was fitted to, seconds; nil if steps and texts were given.
    public var budget: Double?
    /// Fingerprint of the data's tokens: sixteen hexadecimal digits.
    public internal(set) var fingerprint: String?

    /// Creates a plan around `base`.
    public init(base: TrainingConfiguration) { self.base = base }

    /// The training configuration of one model.
    public func configuration(_ role: Role) -> TrainingConfiguration {
        var made = base
        made.training.sampleFreq = 0
        switch role {
        case .autoregressive: made.model.type = .autoregressive
        case .absorb:
            made.model.type = .diffusion
            made.graph.type = .absorb
            made.noise.type = .loglinear
            made.model.scaleBySigma = made.scalesBySigma
        case .uniform:
            made.model.type = .diffusion
            made.graph.type = .uniform
            made.noise.type = .geometric
            made.model.scaleBySigma = false
            // Other weights and densities are made for the times of absorbing log-linear noise.
            made.training.lossWeight = .bound
            made.training.timeDensity = TimeDensity()
        case .judge:
            made.model.type = .autoregressive
            let unit = 2 * base.model.nHeads
            made.model.hiddenSize = (base.model.hiddenSize * 3 / 2 + unit - 1) / unit * unit
            made.training.seed = base.training.seed &+ 1
        }
        return made
    }

    /// The precision in which a model is trained; nil for the device's standard precision.
    func precision(_ role: Role) -> Precision? { configuration(role).model.type == .diffusion ? precision : nil }

    /// The methods that can reverse the chain of a role, by their name in reports.
    func samplers(_ role: Role) throws(SEDDError) -> [SamplingSettings] {
        let graph = configuration(role).modelConfiguration(tokens: 2, kind: "byte").makeGraph()
        var fitting: [SamplingSettings] = []
        for settings in samplers where try SamplingMethods.named(settings.method).reverses(graph) {
            fitting.append(settings)
        }
        return fitting
    }

    /// Maximum number of texts and of steps.
    static let most = 1_000_000

    /// Held-out blocks that the measurements require: texts, and as many others to compare with.
    var heldOutBlocks: Int { 2 * max(count, promptedCount) }

    /// - Throws: ``SEDDError`` of kind `usage` for an invalid size.
    public func validate() throws(SEDDError) {
        guard base.model.padding == 0 else {
            throw SEDDError(
                .usage,
                "model.padding is \(base.model.padding); expected 0 in a study, whose autoregressive models have only the tokenizer's tokens"
            )
        }
        guard count >= Mauve.fewest, promptedCount >= Mauve.fewest else {
            throw SEDDError(
                .usage, "a study of \(min(count, promptedCount)) texts; expected \(Mauve.fewest) or more: raise --count"
            )
        }
        guard count <= Self.most, promptedCount <= Self.most, steps.allSatisfy({ $0 <= Self.most }) else {
            throw SEDDError(.usage, "a study of more than \(Self.most) texts or steps; choose fewer")
        }
        guard !samplers.isEmpty else {
            throw SEDDError(.usage, "a study of no samplers; expected one or more")
        }
        for settings in samplers { try settings.validate() }
        guard steps.allSatisfy({ $0 >= 1 }), !steps.isEmpty, promptedSteps >= 1, blocks >= 1, timeSamples >= 1 else {
            throw SEDDError(.usage, "a study whose steps, blocks or times are below 1; expected 1 or more")
        }
    }
}
