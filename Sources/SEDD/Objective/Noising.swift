/// Draws times and noises whole batches; a function of (seed, step, sequence).
public struct Noising: Sendable {
    private let graph: any TransitionGraph
    private let noise: any NoiseSchedule
    private let corruption: RandomStream
    private let times: RandomStream
    /// Times are drawn from smallestTime...1.
    let smallestTime: Double
    /// Whether sequences 2 k and 2 k + 1 of a step are a pair: one time, and noise from the numbers u and 1 - u.
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

    /// Stratified times: one in each of `count` equally likely parts of smallestTime...1, so that a batch covers them evenly.
    ///
    /// - Parameters:
    ///   - strata: which parts.
    ///   - count: number of parts.
    ///   - table: the density that times are drawn from; nil for the uniform one.
    func times(step: Int, strata: Range<Int>, of count: Int, from table: TimeTable? = nil) -> [Double] {
        let count = pairs ? count / 2 : count
        return strata.map { sequence in
            let stratum = pairs ? sequence / 2 : sequence
            let place = (Double(stratum) + times.uniform(step: step, sequence: stratum)) / Double(count)
            return table?.quantile(place) ?? smallestTime + (1 - smallestTime) * place
        }
    }

    /// Noises `clean`, one time a sequence.
    ///
    /// - Parameters:
    ///   - clean: tokens row by row; times.count x length.
    ///   - firstSequence: the number of the first sequence within the step; the noise of a sequence follows from its
    ///     number, not from its place in this batch.
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

    /// One sequence of a batch that is put together from several steps.
    struct Part {
        let clean: [Int]
        let time: Double
        let step: Int
        let sequence: Int
    }

    /// Noises each part as ``batch(_:length:times:step:firstSequence:)`` noises that sequence of that step; all have one length.
    func batch(_ parts: [Part]) -> NoisedBatch {
        let sigma = parts.map { noise.sigma($0.time) }
        let states = zip(parts, sigma).flatMap { part, sigma in
            part.clean.enumerated().map {
                state($1, sigma, step: part.step, sequence: part.sequence, position: $0)
            }
        }
        return NoisedBatch(
            clean: parts.flatMap(\.clean), states: states, length: parts.first?.clean.count ?? 0, sigma: sigma,
            sigmaRate: parts.map { noise.sigmaRate($0.time) })
    }

    /// Of a pair, what one number u masks at small times the number 1 - u leaves: each sequence alone is noised as any other, but
    /// no position is masked in both below one half of masked tokens, and none is left in both above.
    private func state(_ token: Int, _ sigma: Double, step: Int, sequence: Int, position: Int) -> Int {
        let isMirrored = pairs && sequence % 2 == 1
        let number = pairs ? sequence / 2 : sequence
        return graph.corrupted(token, sigma: sigma) {
            let uniform = corruption.uniform(step: step, sequence: number, position: position, draw: $0)
            return isMirrored ? 1 - uniform : uniform
        }
    }
}
