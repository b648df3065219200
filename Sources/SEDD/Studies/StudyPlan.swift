import Files
import Text

/// What a study compares, and at what size; `plan.json` of its folder.
public struct StudyPlan: Sendable, Codable, Equatable {
    /// The models of a study.
    public enum Role: String, Sendable, Codable, CaseIterable {
        /// From left to right, as large as the diffusion models.
        case autoregressive
        /// Diffusion that masks, log-linear noise.
        case absorb
        /// Diffusion to any token, geometric noise.
        case uniform
        /// From left to right, half as wide again and from another seed: what reads the samples of the others.
        case judge
    }

    /// What all models share: width, depth, length, tokens, data, steps.
    public var base: TrainingConfiguration
    /// Texts of each setting.
    public var count = 64
    /// Reverse steps that are compared.
    public var steps = [4, 8, 16, 32, 64, 128, 256, 512, 1024]
    /// Methods that are compared, at all steps, where they can reverse the model's chain; the first one writes prompted texts.
    public var samplers = [SamplingSettings(), SamplingSettings(method: "euler")]
    /// Reverse steps of prompted texts.
    public var promptedSteps = 128
    /// Prompted texts of each setting.
    public var promptedCount = 128
    /// The nucleus of the left-to-right model.
    public var nucleus = 0.95
    /// Held-out blocks that perplexities are measured on.
    public var blocks = 256
    /// Stratified times a block.
    public var timeSamples = 16

    /// Seconds that the study was fitted to; nil where steps and texts were given.
    public var budget: Double?
    /// Sixteen hexadecimal digits over the tokens of the data.
    public internal(set) var fingerprint: String?

    /// A plan around `base`.
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
            made.model.scaleBySigma = true
        case .uniform:
            made.model.type = .diffusion
            made.graph.type = .uniform
            made.noise.type = .geometric
            made.model.scaleBySigma = false
        case .judge:
            made.model.type = .autoregressive
            let unit = 2 * base.model.nHeads
            made.model.hiddenSize = (base.model.hiddenSize * 3 / 2 + unit - 1) / unit * unit
            made.training.seed = base.training.seed &+ 1
        }
        return made
    }

    /// The methods that can reverse the chain of a role, by the name that reports use.
    func samplers(_ role: Role) throws(SEDDError) -> [SamplingSettings] {
        let graph = configuration(role).modelConfiguration(tokens: 2, kind: "byte").makeGraph()
        var fitting: [SamplingSettings] = []
        for settings in samplers where try SamplingMethods.named(settings.method).reverses(graph) {
            fitting.append(settings)
        }
        return fitting
    }

    /// Of texts and of steps.
    static let most = 1_000_000

    /// Held-out blocks that the measurements need: texts, and as many others to compare them with.
    var heldOutBlocks: Int { 2 * max(count, promptedCount) }

    /// - Throws: ``SEDDError`` of kind `usage` for a size that makes no sense.
    public func validate() throws(SEDDError) {
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
