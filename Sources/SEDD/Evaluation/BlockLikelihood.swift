/// The probability that a model assigns to blocks of tokens.
///
/// The result of a block depends only on the model, the block and its number, not on the batch, so an evaluation can be
/// stopped and resumed.
public protocol BlockLikelihood: Sendable {
    /// Names of the terms whose sum is reported.
    var terms: [String] { get }
    /// Whether the sum is -log p itself rather than an upper bound on it.
    var isExact: Bool { get }
    /// Settings on which the result depends besides model and data, for reports.
    var settings: EvaluationSettings { get }
    /// Blocks evaluated so far, and their network evaluations; nil if they are not counted.
    var evaluations: (blocks: Int, passes: Int)? { get }
    /// Number of tokens over which the nats of a block are averaged; fewer than the block has if some are given rather
    /// than predicted.
    func tokens(inBlockOf length: Int) -> Int
    /// Number of blocks of `length` tokens to evaluate in one batch.
    func blocksAtOnce(length: Int) -> Int
    /// The terms of each block, in nats per block, in the order of ``terms``.
    ///
    /// - Parameter blocks: all of equal length.
    func nats(_ blocks: [(number: Int, tokens: [Int])]) throws -> [[Double]]
}

extension BlockLikelihood {
    /// Not counted.
    public var evaluations: (blocks: Int, passes: Int)? { nil }

    /// Network evaluations per block, averaged over the blocks so far; nil if they are not counted.
    public var evaluationsPerBlock: Double? {
        evaluations.flatMap { $0.blocks == 0 ? nil : Double($0.passes) / Double($0.blocks) }
    }

    /// All tokens of the block.
    public func tokens(inBlockOf length: Int) -> Int { length }
}

/// How a likelihood was estimated.
public struct EvaluationSettings: Sendable, Codable, Equatable {
    /// `bound`, `published`, `exact` or `order`.
    public var convention: String
    /// The sampler whose likelihood is evaluated.
    public var order: String?
    /// Stratified times per block; nil if no times are drawn.
    public var timeSamples: Int?
    /// Lower limit of the integral over time.
    public var smallestTime: Double?
    /// Seed of times and noise.
    public var seed: UInt64?

    /// Precision of the model.
    public var precision: String

    init(
        convention: String, order: String? = nil, timeSamples: Int? = nil, smallestTime: Double? = nil,
        seed: UInt64? = nil,
        precision: Precision
    ) {
        self.precision = precision.rawValue
        self.convention = convention
        self.order = order
        self.timeSamples = timeSamples
        self.smallestTime = smallestTime
        self.seed = seed
    }

    enum CodingKeys: String, CodingKey {
        case convention, order, seed, precision
        case timeSamples = "time_samples", smallestTime = "smallest_time"
    }
}
