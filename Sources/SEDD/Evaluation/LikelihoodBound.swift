import Files

/// The upper bound on -log p(x0) of theorem 3.6: the diffusion term (score entropy integrated over time), the prior
/// term KL(p_{1|0} || base), and the reconstruction term of the final denoising from the smallest time.
public struct LikelihoodBound: BlockLikelihood {
    /// Which convention to follow.
    public enum Convention: String, Sendable, CaseIterable {
        /// All three terms, with times from the sampler's smallest time to 1.
        case bound
        /// As in the published tables: the diffusion term alone, averaged over times from 1e-3 to 1.
        case published
    }

    /// The released loss draws times from this value to 1, and omits the factor of 0.999 that would turn the mean into
    /// the integral.
    static let publishedSmallestTime = 1e-3

    /// Settings on which the result depends besides model and data.
    public let settings: EvaluationSettings
    private let convention: Convention
    private let diffusion: DiffusionTerm
    private let reconstruction: ReconstructionTerm
    private let prior: Double
    private let tokensPerBatch: Int

    /// - Parameters:
    ///   - timesPerBlock: stratified times per block.
    ///   - tokensPerBatch: tokens evaluated at once; affects memory use, not the result.
    /// - Throws: ``SEDDError`` of kind `usage` for fewer than one time.
    public init(
        network: ScoreNetwork, convention: Convention = .bound, timesPerBlock: Int, seed: UInt64,
        tokensPerBatch: Int = 4096
    ) throws {
        guard timesPerBlock >= 1 else {
            throw SEDDError(.usage, "\(timesPerBlock) times per block; expected 1 or more")
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

    /// `diffusion`, `prior` and `reconstruction`; under ``Convention/published`` `diffusion` alone.
    public var terms: [String] { convention == .bound ? ["diffusion", "prior", "reconstruction"] : ["diffusion"] }
    /// False: the sum is an upper bound on -log p.
    public var isExact: Bool { false }

    /// As many blocks, each evaluated at all its times, as fit into the tokens per batch, at least one.
    public func blocksAtOnce(length: Int) -> Int {
        max(1, tokensPerBatch / max(1, length * (settings.timeSamples ?? 1)))
    }

    /// The terms of each block, nats per block, in the order of ``terms``.
    public func nats(_ blocks: [(number: Int, tokens: [Int])]) throws -> [[Double]] {
        let first = try diffusion.nats(blocks, tokensPerBatch: tokensPerBatch)
        guard convention == .bound else { return first.map { [$0 / (1 - Self.publishedSmallestTime)] } }
        let last = try reconstruction.nats(blocks, tokensPerBatch: tokensPerBatch)
        return blocks.indices.map { [first[$0], prior * Double(blocks[$0].tokens.count), last[$0]] }
    }
}
