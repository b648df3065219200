import Foundation
import Testing
import Torch

@testable import SEDD

/// The estimates of the bound's terms against their expectations over all sequences, for a small random network.
@Suite struct LikelihoodEstimateTests {
    @Test(arguments: [ModelConfiguration.GraphKind.absorb, .uniform])
    func estimatesMeetTheirExpectations(_ kind: ModelConfiguration.GraphKind) throws {
        let configuration = smallConfiguration(kind, tokens: 3, length: 3)
        let network = try randomNetwork(configuration)
        let chain = TinyChain(configuration.makeGraph(), noise: try configuration.makeNoise(), length: 3)
        let block = [2, 0, 1]
        let number = try #require(chain.sequences.firstIndex(of: block))
        let all = Array(chain.sequences.indices)
        let tokens = try Tensor(all.flatMap { chain.sequences[$0] }, shape: [all.count, 3])
        let clean = try Tensor(all.flatMap { _ in block })
        func scores(_ sigma: Double) throws -> LogScore {
            let hidden = try network.hidden(tokens, sigma: [Double](repeating: sigma, count: all.count))
            return try network.logScore(hidden: hidden, chain.rows(all, sigma: sigma))
        }
        func expectation(_ sigma: Double, _ values: [Double]) -> Double {
            let law = chain.law(sigma, from: number)
            return all.reduce(0) { $0 + (law[$1] > 0 ? law[$1] * values[($1 * 3)..<($1 * 3 + 3)].reduce(0, +) : 0) }
        }
        func diffusion(from start: Double) throws -> Double {
            try gaussLegendre(64, from: start, to: 1).reduce(0) { sum, part in
                let sigma = chain.noise.sigma(part.node)
                let entropy: [Double] = try chain.graph.scoreEntropy(
                    scores(sigma), chain.rows(all, sigma: sigma), clean: clean, gradient: false
                ).entropy.array()
                return sum + part.weight * chain.noise.sigmaRate(part.node) * expectation(sigma, entropy)
            }
        }
        let first = chain.noise.sigma(DiffusionProcess.smallestTime)
        let last: [Double] = try chain.graph.reconstruction(
            scores(first), chain.rows(all, sigma: first), clean: clean
        ).array()
        let expected = [
            try diffusion(from: DiffusionProcess.smallestTime),
            TinyChain.divergence(
                chain.law(chain.noise.sigma(1), from: number), base(chain, chain.noise.sigma(1))),
            expectation(first, last),
        ]
        let blocks = (0..<300).map { (number: $0, tokens: block) }
        let bound = try LikelihoodBound(network: network, timesPerBlock: 8, seed: 3)
        let found = try bound.nats(blocks)
        for (term, name) in bound.terms.enumerated() {
            check(found.map { $0[term] }, expected[term], "\(kind) \(name)")
        }
        let published = try LikelihoodBound(network: network, convention: .published, timesPerBlock: 8, seed: 3)
        #expect(published.terms == ["diffusion"])
        check(try published.nats(blocks).map { $0[0] }, try diffusion(from: 1e-3) / (1 - 1e-3), "\(kind) published")
    }

    /// The base of the prior term as a law over sequences.
    private func base(_ chain: TinyChain, _ sigma: Double) -> [Double] {
        let states = chain.graph.states
        let single: [Double] =
            chain.graph.mask == nil
            ? [Double](repeating: 1 / Double(states), count: states)
            : (0..<states).map { $0 == chain.graph.mask ? 1 - exp(-sigma) : exp(-sigma) / Double(states - 1) }
        return chain.sequences.map { $0.reduce(1) { $0 * single[$1] } }
    }

    /// A mean of independent estimates: more than five standard errors off with probability 6e-7, the false-alarm rate, were
    /// the seeds drawn anew.
    private func check(_ values: [Double], _ expected: Double, _ name: String) {
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
        let error = (variance / Double(values.count)).squareRoot()
        #expect(
            abs(mean - expected) < 5 * error + 1e-5 * abs(expected) + 1e-9,
            "\(name): \(mean) ± \(error), expected \(expected)")
        // An estimate with a huge error would pass the check above.
        #expect(error < 0.1 * abs(expected) + 1e-9, "\(name): \(mean) ± \(error)")
    }
}
