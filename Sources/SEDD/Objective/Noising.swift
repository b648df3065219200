/// Draws diffusion times and noises batches; a function of (seed, step, sequence).
public struct Noising: Sendable {
    private let graph: any TransitionGraph
    private let noise: any NoiseSchedule
    private let corruption: RandomStream
    private let times: RandomStream
    /// Times are drawn from smallestTime...1.
    let smallestTime: Double
    /// Whether sequences 2 k and 2 k + 1 of a step form an antithetic pair: one time, with noise from the numbers u and
    /// 1 - u.
    let pairs: Bool

    init(
        graph: any TransitionGraph, noise: any NoiseSchedule, seed: UInt64, smallestTime: Double, pairs: Bool = false
    ) {
        self.pairs = pairs
        self.graph = graph
        self.noise = noise
        self.smallestTime = smallestTime
        corruption = RandomStream(seed: seed, purpose: .corruption)
        times = RandomStream(seed: seed, purpose: .times)
    }

    /// Stratified times: one in each of `count` equally likely intervals of smallestTime...1, so that a batch covers
    /// them evenly.
    ///
    /// - Parameters:
    ///   - strata: the intervals to draw from.
    ///   - count: total number of intervals.
    ///   - table: the density of times; nil for the uniform one.
    func times(step: Int, strata: Range<Int>, of count: Int, from table: TimeTable? = nil) -> [Double] {
        let count = pairs ? count / 2 : count
        return strata.map { sequence in
            let stratum = pairs ? sequence / 2 : sequence
            let place = (Double(stratum) + times.uniform(step: step, sequence: stratum)) / Double(count)
            return table?.quantile(place) ?? smallestTime + (1 - smallestTime) * place
        }
    }

    /// Noises `clean`, with one time per sequence.
    ///
    /// - Parameters:
    ///   - clean: tokens in row-major order; times.count x length.
    ///   - firstSequence: index of the first sequence within the step; the noise of a sequence depends on its index,
    ///     not on its position in this batch.
    func batch(
        _ clean: [Int], length: Int, times: [Double], step: Int, firstSequence: Int
    ) -> NoisedBatch {
        let sigma = times.map(noise.sigma)
        let states = clean.indices.map { index in
            let row = index / length
            return state(clean[index], sigma[row], step: step, sequence: firstSequence + row, position: index % length)
        }
        return NoisedBatch(
            clean: clean, states: states, length: length, sigma: sigma, sigmaRate: times.map(noise.sigmaRate))
    }

    /// One sequence of a batch assembled from several steps.
    struct Item {
        let clean: [Int]
        let time: Double
        let step: Int
        let sequence: Int
    }

    /// Noises each item exactly as ``batch(_:length:times:step:firstSequence:)`` noises that sequence of that step; all
    /// have equal length.
    func batch(_ items: [Item]) -> NoisedBatch {
        let sigma = items.map { noise.sigma($0.time) }
        let states = zip(items, sigma).flatMap { item, sigma in
            item.clean.enumerated().map {
                state($1, sigma, step: item.step, sequence: item.sequence, position: $0)
            }
        }
        return NoisedBatch(
            clean: items.flatMap(\.clean), states: states, length: items.first?.clean.count ?? 0, sigma: sigma,
            sigmaRate: items.map { noise.sigmaRate($0.time) })
    }

    /// In a pair, u and 1 - u mask opposite positions: each sequence alone has the usual marginal law, but no
    /// position is masked in both below a masked fraction of one half, and none is unmasked in both above it.
    private func state(_ token: Int, _ sigma: Double, step: Int, sequence: Int, position: Int) -> Int {
        let isMirrored = pairs && sequence % 2 == 1
        let number = pairs ? sequence / 2 : sequence
        return graph.corrupted(token, sigma: sigma) {
            let uniform = corruption.uniform(step: step, sequence: number, position: position, draw: $0)
            return isMirrored ? 1 - uniform : uniform
        }
    }
}
