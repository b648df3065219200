/// What a model says of the probability of blocks of tokens.
///
/// A block's result is a function of the model, the block and its number, whatever it is evaluated with, so that an
/// evaluation can stop and go on.
public protocol BlockLikelihood: Sendable {
    /// Names of the terms whose sum is reported.
    var terms: [String] { get }
    /// Whether the sum is -log p itself and not a bound on it.
    var isExact: Bool { get }
    /// What the result depends on beside the model and the data, for reports.
    var settings: EvaluationSettings { get }
    /// Passes of a block through the network, on average over those that have been looked at; nil where that is not counted.
    var evaluationsPerBlock: Double? { get }
    /// Tokens that a block's nats are shared among; all unless some are given and not predicted.
    func tokens(inBlockOf length: Int) -> Int
    /// Blocks of `length` that are best given at once.
    func blocksAtOnce(length: Int) -> Int
    /// The terms of each block, nats per block, in the order of ``terms``.
    ///
    /// - Parameter blocks: all of one length.
    func nats(_ blocks: [(number: Int, tokens: [Int])]) throws -> [[Double]]
}

extension BlockLikelihood {
    public var evaluationsPerBlock: Double? { nil }

    public func tokens(inBlockOf length: Int) -> Int { length }
}

/// How a likelihood was estimated.
public struct EvaluationSettings: Sendable, Codable, Equatable {
    /// `bound`, `published`, `exact` or `order`.
    public var convention: String
    /// The sampler whose likelihood it is.
    public var order: String?
    /// Stratified times for each block; nil where no time is drawn.
    public var timeSamples: Int?
    /// Where the integral over time starts.
    public var smallestTime: Double?
    /// What the times and the noise follow from.
    public var seed: UInt64?

    /// What the model computes in.
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
