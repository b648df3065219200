import Files
import Torch

/// The diffusion term of the likelihood bound: the score entropy integrated over time, estimated at stratified times.
public struct DiffusionTerm: Sendable {
    /// A mean over blocks with its standard error.
    public struct Estimate: Sendable, Codable, Equatable {
        /// Nats per token.
        public let mean: Double
        /// Standard error of the mean over blocks, nats per token; nil for a single block.
        public let standardError: Double?

        /// - Parameter perBlock: nats per token of each block.
        /// - Throws: ``SEDDError`` of kind `diverged` if one is not finite.
        init(_ perBlock: [Double]) throws(SEDDError) {
            mean = perBlock.reduce(0, +) / Double(perBlock.count)
            guard mean.isFinite else {
                throw SEDDError(.diverged, "the loss of a held-out block is \(mean); check the weights of the model")
            }
            standardError = SampleMean.standardError(perBlock)
        }
    }

    private let loss: ScoreEntropyLoss
    private let noising: Noising
    private let timesPerBlock: Int
    private let device: Device

    /// - Parameters:
    ///   - smallestTime: lower limit of the integral; the published tables and samplers use 1e-5.
    ///   - timesPerBlock: stratified times per block.
    public init(network: ScoreNetwork, timesPerBlock: Int, seed: UInt64, smallestTime: Double = 1e-5) throws {
        let graph = network.configuration.makeGraph()
        loss = ScoreEntropyLoss(network: network, graph: graph)
        noising = Noising(
            graph: graph, noise: try network.configuration.makeNoise(),
            seed: RandomStream(seed: seed, purpose: .evaluation).key, smallestTime: smallestTime)
        self.timesPerBlock = timesPerBlock
        device = network.device
    }

    /// The term averaged over `blocks`, which have equal length.
    ///
    /// - Parameter tokensPerBatch: tokens evaluated at once; affects memory use, not the result.
    /// - Throws: ``SEDDError`` of kind `diverged` if the loss is not finite, `usage` if `blocks` is empty.
    public func evaluate(_ blocks: [[Int]], tokensPerBatch: Int = 4096) throws -> Estimate {
        guard let length = blocks.first?.count, length > 0 else {
            throw SEDDError(.usage, "the data contain no complete block; give more data or a shorter length")
        }
        let numbered = blocks.enumerated().map { (number: $0, tokens: $1) }
        let perBlock = try nats(numbered, tokensPerBatch: tokensPerBatch).map { $0 / Double(length) }
        return try Estimate(perBlock)
    }

    /// Number of sequences in a network pass. On the CPU several passes run side by side, so that each has fewer
    /// tokens.
    private static func sequences(tokens: Int, length: Int, device: Device) -> Int {
        max(1, tokens / (device.kind == .cpu ? 4 : 1) / max(1, length))
    }

    /// Number of blocks whose times fill whole batches: distributing groups of this size leaves every batch unchanged.
    static func blocksAtOnce(tokens: Int, length: Int, times: Int, device: Device) -> Int {
        let group = sequences(tokens: tokens, length: length, device: device)
        if group.isMultiple(of: times) { return group / times }
        return times.isMultiple(of: group) ? 1 : group
    }

    /// The term of each block, nats per block; a function of the block and its number alone.
    ///
    /// - Parameter blocks: blocks of equal length; the number determines the times and the noise of a block.
    func nats(_ blocks: [(number: Int, tokens: [Int])], tokensPerBatch: Int) throws -> [Double] {
        let length = blocks.first?.tokens.count ?? 1
        let group = Self.sequences(tokens: tokensPerBatch, length: length, device: device)
        let parts = blocks.indices.flatMap { index in
            zip(
                repeatElement(index, count: timesPerBlock),
                noising.times(step: blocks[index].number, strata: 0..<timesPerBlock, of: timesPerBlock).enumerated())
        }
        let losses = try ParallelTasks.map(pieces: parts.count, of: group, on: device) { range in
            let batch = noising.batch(
                parts[range].map { index, time in
                    .init(
                        clean: blocks[index].tokens, time: time.element, step: blocks[index].number,
                        sequence: time.offset)
                })
            return try loss.evaluate(batch)
        }
        var sums = [Double](repeating: 0, count: blocks.count)
        for ((index, _), loss) in zip(parts, losses.joined()) { sums[index] += loss }
        return sums.map { $0 * (1 - noising.smallestTime) / Double(timesPerBlock) }
    }
}
