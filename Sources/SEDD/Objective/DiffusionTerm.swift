import Torch

/// The first term of the likelihood bound: the score entropy integrated over time, by stratified times.
public struct DiffusionTerm: Sendable {
    /// A mean over blocks, and how sure it is.
    public struct Estimate: Sendable, Codable, Equatable {
        /// Nats per token.
        public let mean: Double
        /// Standard error of the mean over blocks, nats per token.
        public let standardError: Double
    }

    private let loss: ScoreEntropyLoss
    private let noising: Noising
    private let timesPerBlock: Int

    /// - Parameters:
    ///   - smallestTime: where the integral starts; the published tables and samplers use 1e-5.
    ///   - timesPerBlock: stratified times for each block.
    public init(network: ScoreNetwork, timesPerBlock: Int, seed: UInt64, smallestTime: Double = 1e-5) throws {
        let graph = network.configuration.makeGraph()
        loss = ScoreEntropyLoss(network: network, graph: graph)
        noising = Noising(
            graph: graph, noise: try network.configuration.makeNoise(),
            seed: RandomStream(seed: seed, purpose: .evaluation).key, smallestTime: smallestTime)
        self.timesPerBlock = timesPerBlock
    }

    /// The term over `blocks`, all of one length.
    ///
    /// - Parameter tokensPerBatch: how much meets the network at once; it changes memory, not the result.
    /// - Throws: ``SEDDError`` of kind `diverged` where the loss is not finite, `usage` where there is no block.
    public func evaluate(_ blocks: [[Int]], tokensPerBatch: Int = 4096) throws -> Estimate {
        guard let length = blocks.first?.count, length > 0 else {
            throw SEDDError(.usage, "no block to evaluate; give more data or a shorter length")
        }
        var perBlock: [Double] = []
        let group = max(1, tokensPerBatch / length)
        for (index, block) in blocks.enumerated() {
            var sum = 0.0
            for start in stride(from: 0, to: timesPerBlock, by: group) {
                let strata = start..<min(start + group, timesPerBlock)
                let times = noising.times(step: index, strata: strata, of: timesPerBlock)
                let clean = strata.flatMap { _ in block }
                let batch = noising.batch(clean, length: length, times: times, step: index, firstSequence: start)
                sum += try loss.evaluate(batch).reduce(0, +)
            }
            let span = 1 - noising.smallestTime
            perBlock.append(sum * span / Double(timesPerBlock) / Double(length))
        }
        let mean = perBlock.reduce(0, +) / Double(perBlock.count)
        guard mean.isFinite else {
            throw SEDDError(.diverged, "the loss of a held-out block is \(mean); check the weights of the model")
        }
        let variance = perBlock.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, perBlock.count - 1))
        return Estimate(mean: mean, standardError: (variance / Double(perBlock.count)).squareRoot())
    }
}
