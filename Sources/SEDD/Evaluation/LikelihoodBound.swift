import Files

/// The bound on -log p(x0) (theorem 3.6 of the paper): the score entropy integrated over time, the prior term
/// KL(p_{1|0} || base), and the reconstruction term of the final denoising from the smallest time.
public struct LikelihoodBound: BlockLikelihood {
    /// Which number is wanted.
    public enum Convention: String, Sendable, CaseIterable {
        /// All three terms; times from the sampler's smallest one to 1.
        case bound
        /// What the published tables hold: the first term alone, as the mean over times from 1e-3 to 1.
        case published
    }

    /// The released loss draws its times from here to 1, and leaves out the factor of 0.999 that would make an integral of it.
    static let publishedSmallestTime = 1e-3

    public let settings: EvaluationSettings
    private let convention: Convention
    private let diffusion: DiffusionTerm
    private let reconstruction: ReconstructionTerm
    private let prior: Double
    private let tokensPerBatch: Int

    /// - Parameters:
    ///   - timesPerBlock: stratified times for each block.
    ///   - tokensPerBatch: how much meets the network at once; it changes memory, not the result.
    /// - Throws: ``SEDDError`` of kind `usage` for less than one time.
    public init(
        network: ScoreNetwork, convention: Convention = .bound, timesPerBlock: Int, seed: UInt64,
        tokensPerBatch: Int = 4096
    ) throws {
        guard timesPerBlock >= 1 else {
            throw SEDDError(.usage, "\(timesPerBlock) times a block were asked for; expected 1 or more")
        }
        self.convention = convention
        self.tokensPerBatch = tokensPerBatch
        let start = convention == .bound ? DiffusionProcess.smallestTime : Self.publishedSmallestTime
        settings = EvaluationSettings(
            convention: convention.rawValue, timeSamples: timesPerBlock, smallestTime: start, seed: seed,
            precision: network.weights.precision)
        diffusion = try DiffusionTerm(
            network: network, timesPerBlock: timesPerBlock, seed: seed, smallestTime: start)
        let noise = try network.configuration.makeNoise()
        reconstruction = ReconstructionTerm(network: network, sigma: noise.sigma(start), seed: seed)
        prior = network.configuration.makeGraph().priorDivergence(sigma: noise.sigma(1))
    }

    public var terms: [String] { convention == .bound ? ["diffusion", "prior", "reconstruction"] : ["diffusion"] }
    public var isExact: Bool { false }

    public func blocksAtOnce(length: Int) -> Int {
        max(1, tokensPerBatch / max(1, length * (settings.timeSamples ?? 1)))
    }

    public func nats(_ blocks: [(number: Int, tokens: [Int])]) throws -> [[Double]] {
        let first = try diffusion.nats(blocks, tokensPerBatch: tokensPerBatch)
        guard convention == .bound else { return first.map { [$0 / (1 - Self.publishedSmallestTime)] } }
        let last = try reconstruction.nats(blocks, tokensPerBatch: tokensPerBatch)
        return blocks.indices.map { [first[$0], prior * Double(blocks[$0].tokens.count), last[$0]] }
    }
}
