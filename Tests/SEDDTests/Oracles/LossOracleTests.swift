import Foundation
import Testing
import Torch

@testable import SEDD

/// The loss and the bound at the exact score of an enumerable chain. Nothing is drawn, so there are no false alarms.
@Suite struct LossOracleTests {
    static let chains: [(name: String, chain: TinyChain)] = [
        ("absorb, log-linear", TinyChain(AbsorbingGraph(tokens: 3), noise: LogLinearNoise(), length: 3)),
        ("uniform, geometric", TinyChain(UniformGraph(tokens: 4), noise: geometric, length: 3)),
    ]
    static var geometric: any NoiseSchedule {
        (try? GeometricNoise(minimum: 1e-4, maximum: 20)) ?? LogLinearNoise()
    }

    /// E over x_t given x0 of the score entropy at log-scores `scores`, one a clean sequence; nats, without the rate.
    private func losses(_ chain: TinyChain, sigma: Double, _ scores: LogScore) throws -> [Double] {
        let all = Array(chain.sequences.indices)
        let rows = try chain.rows(all, sigma: sigma)
        return try chain.clean.map { number in
            let clean = try Tensor(all.flatMap { _ in chain.sequences[number] })
            let entropy: [Double] = try chain.graph.scoreEntropy(scores, rows, clean: clean, gradient: false)
                .entropy.array()
            let law = chain.law(sigma, from: number)
            return all.reduce(0.0) { sum, x in
                guard law[x] > 0 else { return sum }
                return sum + law[x] * entropy[(x * chain.length)..<((x + 1) * chain.length)].reduce(0, +)
            }
        }
    }

    private func mean(_ chain: TinyChain, _ values: [Double]) -> Double {
        zip(chain.clean, values).reduce(0) { $0 + chain.p0[$1.0] * $1.1 }
    }

    /// (a) Any other score costs exactly sum Q p s (e^d - 1 - d) more, d its distance in logarithms: never less than 0.
    @Test(arguments: chains.indices, [0.02, 0.5, 3])
    func theTrueScoreIsTheMinimum(_ index: Int, _ sigma: Double) throws {
        let chain = Self.chains[index].chain
        let law = chain.law(sigma)
        let all = Array(chain.sequences.indices).filter { law[$0] > 0 }
        #expect(all.count == chain.sequences.count)
        let exact = try chain.logScores(law, of: all)
        let least = mean(chain, try losses(chain, sigma: sigma, exact))
        let stream = RandomStream(seed: 4, purpose: .initialization)
        let v = chain.graph.states
        for scale in [0.1, -0.1, 1] {
            var shift = (0..<(all.count * chain.length * v)).map {
                Float(scale * (stream.uniform(step: 1, sequence: $0) - 0.3))
            }
            for (row, state) in all.flatMap({ chain.sequences[$0] }).enumerated() { shift[row * v + state] = 0 }
            let moved = try LogScore(exact.tensor + Tensor(shift, shape: exact.tensor.shape))
            let found = mean(chain, try losses(chain, sigma: sigma, moved)) - least
            let scores: [Double] = try exact.exponentiated().tensor.array()
            var expected = 0.0
            for (row, state) in all.flatMap({ chain.sequences[$0] }).enumerated() where chain.graph.canMove(from: state)
            {
                for y in 0..<v where y != state && y != chain.graph.mask {
                    let d = Double(shift[row * v + y])
                    let rate = chain.graph.mask == nil ? 1 / Double(v) : 1
                    expected += rate * law[all[row / chain.length]] * scores[row * v + y] * (exp(d) - 1 - d)
                }
            }
            #expect(expected > 0)
            #expect(abs(found - expected) < 1e-5 * max(1, expected), "\(found) and \(expected)")
        }
    }

    /// (a) At the true score the loss, integrated over time, is the information on x0 that the noise destroys.
    /// (b) Term by term and for every x0, the bound exceeds -log p0(x0) by what the base and the factorised denoising
    /// differ from the exact p_1 and the exact posterior, and by nothing else.
    @Test(arguments: chains.indices)
    func theBoundIsItsTerms(_ index: Int) throws {
        let (name, chain) = Self.chains[index]
        let start = DiffusionProcess.smallestTime
        var diffusion = [Double](repeating: 0, count: chain.clean.count)
        for (t, weight) in gaussLegendre(96, from: start, to: 1) {
            let sigma = chain.noise.sigma(t)
            let scores = try chain.logScores(chain.law(sigma), of: Array(chain.sequences.indices))
            for (place, loss) in try losses(chain, sigma: sigma, scores).enumerated() {
                diffusion[place] += weight * chain.noise.sigmaRate(t) * loss
            }
        }
        func information(_ t: Double) -> Double {
            let (sigma, law) = (chain.noise.sigma(t), chain.law(chain.noise.sigma(t)))
            return mean(chain, chain.clean.map { TinyChain.divergence(chain.law(sigma, from: $0), law) })
        }
        let gap = information(start) - information(1)
        let loss = mean(chain, diffusion)
        #expect(abs(loss - gap) < 1e-5, "\(name): the loss is \(loss), the information lost \(gap)")

        let (last, first) = (chain.noise.sigma(1), chain.noise.sigma(start))
        let (lastLaw, firstLaw) = (chain.law(last), chain.law(first))
        let all = Array(chain.sequences.indices)
        let scores = try chain.logScores(firstLaw, of: all)
        let rows = try chain.rows(all, sigma: first)
        var greatest = 0.0
        var table = (bound: 0.0, exact: 0.0, prior: 0.0, reconstruction: 0.0, priorGap: 0.0, denoisingGap: 0.0)
        for (place, number) in chain.clean.enumerated() {
            let prior = Double(chain.length) * chain.graph.priorDivergence(sigma: last)
            let priorGap = prior - TinyChain.divergence(chain.law(last, from: number), lastLaw)
            let clean = try Tensor(all.flatMap { _ in chain.sequences[number] })
            let nats: [Double] = try chain.graph.reconstruction(scores, rows, clean: clean).array()
            let law = chain.law(first, from: number)
            var (reconstruction, exact) = (0.0, 0.0)
            for x in all where law[x] > 0 {
                reconstruction += law[x] * nats[(x * chain.length)..<((x + 1) * chain.length)].reduce(0, +)
                exact -= law[x] * log(chain.p0[number] * law[x] / firstLaw[x])
            }
            let excess = diffusion[place] + prior + reconstruction + log(chain.p0[number])
            greatest = max(greatest, abs(excess - priorGap - (reconstruction - exact)))
            let p = chain.p0[number]
            table.bound += p * (diffusion[place] + prior + reconstruction)
            table.exact -= p * log(p)
            table.prior += p * prior
            table.reconstruction += p * reconstruction
            table.priorGap += p * priorGap
            table.denoisingGap += p * (reconstruction - exact)
        }
        #expect(greatest < 1e-5, "\(name): \(greatest)")
        #expect(table.bound >= table.exact)
        print(
            String(
                format:
                    "oracle %@: entropy %.6f, bound %.6f = diffusion %.6f + prior %.6f + reconstruction %.6f; excess %.2e = base %.2e + denoising %.2e, unexplained %.1e",
                name, table.exact, table.bound, loss, table.prior, table.reconstruction, table.bound - table.exact,
                table.priorGap, table.denoisingGap, greatest))
    }

    /// The terms of the bound stay finite for every sigma, also at GPT-2's vocabulary.
    @Test(arguments: [1e-9, 1e-6, 1e-4, 1e-2, 1, 20, 200])
    func termsAreFiniteAtEveryNoise(_ sigma: Double) throws {
        let graphs: [any TransitionGraph] = [AbsorbingGraph(tokens: 50257), UniformGraph(tokens: 50257)]
        for graph in graphs {
            let prior = graph.priorDivergence(sigma: sigma)
            #expect(prior.isFinite && prior >= 0)
            #expect(prior <= log(50257) * (1 + 1e-12))
            let states = [graph.mask ?? 5, graph.mask ?? 7]
            let rows = try Rows(states: states, sigma: [sigma, sigma])
            for level in [-30.0, 0, 20] {
                let score = try LogScore(
                    Tensor.full([2, graph.states], level).scattered(1, rows.states.unsqueezed(1), value: 0))
                let clean = try Tensor([5, 11])
                let nats: [Double] = try graph.reconstruction(score, rows, clean: clean).array()
                #expect(nats.allSatisfy { $0.isFinite && $0 >= 0 }, "\(nats) at \(level)")
                let entropy: [Double] = try graph.scoreEntropy(score, rows, clean: clean, gradient: false)
                    .entropy.array()
                #expect(entropy.allSatisfy { $0.isFinite && $0 >= -1e-6 }, "\(entropy) at \(level)")
            }
        }
    }
}
