import Foundation
import Testing
import Torch

@testable import SEDD

/// The laws that the predictors sample from, step by step over all sequences of an enumerable chain given its exact score. No
/// draw is made, so there are no false alarms, but in the last test, which says its rate.
@Suite struct SamplerOracleTests {
    static let absorb = TinyChain(AbsorbingGraph(tokens: 3), noise: LogLinearNoise(), length: 3)
    static let uniform = TinyChain(UniformGraph(tokens: 3), noise: LogLinearNoise(), length: 3)
    static let chains: [(name: String, chain: TinyChain)] = [
        ("absorb, log-linear", absorb), ("uniform, log-linear", uniform),
        ("absorb, geometric", TinyChain(AbsorbingGraph(tokens: 3), noise: geometric, length: 3)),
        ("uniform, geometric", TinyChain(UniformGraph(tokens: 3), noise: geometric, length: 3)),
    ]
    static var geometric: any NoiseSchedule {
        (try? GeometricNoise(minimum: 1e-4, maximum: 8)) ?? LogLinearNoise()
    }

    /// The law of a sequence after each weight row has been clamped, renormalised and drawn from, with `template` held.
    static func stepped(_ chain: TinyChain, _ law: [Double], _ weights: [Double], _ numbers: [Int], _ template: [Int?])
        -> [Double]
    {
        let v = weights.count / (numbers.count * chain.length)
        var next = [Double](repeating: 0, count: law.count)
        for (place, number) in numbers.enumerated() {
            var partial = [(number: 0, p: law[number])]
            for position in 0..<chain.length {
                let row = (place * chain.length + position) * v
                let state = chain.sequences[number][position]
                let step = chain.place(position)
                if template[position] != nil || !chain.graph.canMove(from: state) {
                    partial = partial.map { ($0.number + state * step, $0.p) }
                    continue
                }
                let clamped = weights[row..<(row + v)].map { max(0, $0) }
                let total = clamped.reduce(0, +)
                partial = partial.flatMap { part in
                    clamped.indices.filter { clamped[$0] > 0 }
                        .map { (part.number + $0 * step, part.p * clamped[$0] / total) }
                }
            }
            for part in partial { next[part.number] += part.p }
        }
        return next
    }

    /// The law after `steps` reverse steps on the sampler's times and its final denoising.
    ///
    /// - Parameter scores: log-scores of the given sequences at a total noise.
    static func sampled(
        _ chain: TinyChain, _ predictor: any Predictor, steps: Int, from start: [Double],
        template: [Int?]? = nil, scores: (_ sigma: Double, _ numbers: [Int]) throws -> LogScore
    ) throws -> [Double] {
        let template = template ?? [Int?](repeating: nil, count: chain.length)
        let smallest = ReverseProcess.smallestTime
        let dt = (1 - smallest) / Double(steps)
        var law = start
        for done in 0...steps {
            let t = 1 - (1 - smallest) * Double(done) / Double(steps)
            let sigma = chain.noise.sigma(t)
            let numbers = law.indices.filter { law[$0] > 0 }
            let rows = try chain.rows(numbers, sigma: sigma)
            let score = try scores(sigma, numbers).exponentiated()
            let weights: Tensor
            if done == steps {
                weights = try Denoiser().weights(score, rows, chain.graph)
            } else {
                let shape = [numbers.count * chain.length, 1]
                let noise = ReverseNoise(
                    rateTimesStep: try Tensor.full(shape, chain.noise.sigmaRate(t) * dt, dtype: .float64),
                    sigmaStep: try Tensor.full(
                        shape, sigma - chain.noise.sigma(max(t - dt, 0)), dtype: .float64))
                weights = try predictor.weights(score, rows, noise, chain.graph)
            }
            law = stepped(chain, law, try weights.array(), numbers, template)
        }
        return law
    }

    private func exactly(
        _ chain: TinyChain, _ predictor: any Predictor, steps: Int, from start: [Double], template: [Int?]? = nil
    )
        throws -> [Double]
    {
        try Self.sampled(chain, predictor, steps: steps, from: start, template: template) { sigma, numbers in
            try chain.logScores(chain.law(sigma), of: numbers)
        }
    }

    /// (c) From the exact p_1 the law of the samples goes to p0 as 1 / S; from the limit that the sampler starts in it stops
    /// where the two starts differ.
    @Test(arguments: chains.indices, Predictors.names)
    func lawsConvergeAtFirstOrder(_ index: Int, _ name: String) throws {
        let (graph, chain) = Self.chains[index]
        let predictor = try Predictors.named(name)
        let last = chain.law(chain.noise.sigma(1))
        let floor = TinyChain.totalVariation(last, chain.limit())
        let counts = [8, 16, 32, 64, 128, 256, 512]
        let distances = try counts.map {
            TinyChain.totalVariation(try exactly(chain, predictor, steps: $0, from: last), chain.p0)
        }
        let plain = try exactly(chain, predictor, steps: 512, from: chain.limit())
        let limit = TinyChain.totalVariation(plain, chain.p0)
        let row = zip(counts, distances).map { "\($0): \(String(format: "%.2e", $1))" }.joined(separator: "  ")
        print(
            "oracle \(graph), \(name), total variation from p0 by steps  \(row)  from the limit, 512: "
                + String(format: "%.2e, at most %.2e more", limit, floor))
        let orders = zip(distances, distances.dropFirst()).map { log2($0 / $1) }
        for order in orders.suffix(2) { #expect(order > 0.85 && order < 1.3, "\(graph), \(name): orders \(orders)") }
        #expect(distances[6] < 1e-2, "\(distances)")
        // The chains forget no less than they are given: what the start is off bounds what it adds.
        #expect(limit <= distances[6] + floor + 1e-6)
    }

    /// (d) Where the chain absorbs, what stands unmasked is clean, and the law of the rest goes to the exact conditional one.
    @Test(
        arguments: [[0, nil, nil], [nil, 2, nil], [nil, nil, 1], [2, nil, 0], [nil, 1, 1]] as [[Int?]], Predictors.names
    )
    func conditionalLawsConverge(_ template: [Int?], _ name: String) throws {
        let distances = try conditional(Self.absorb, template, name, [32, 64, 128, 256])
        let orders = zip(distances, distances.dropFirst()).map { log2($0 / $1) }
        // One free position, or two that the prompt between them makes independent: there is nothing that taking positions
        // one by one gets wrong, and the law is exact from the first step on.
        guard template.count(where: { $0 == nil }) > 1, template[1] == nil else {
            return #expect(distances.allSatisfy { $0 < 1e-6 }, "\(template), \(name): \(distances)")
        }
        #expect(orders.allSatisfy { $0 > 0.8 && $0 < 1.3 }, "\(template), \(name): \(distances)")
        #expect(distances[3] < 1e-3, "\(template), \(name): \(distances)")
    }

    /// Under the uniform chain a state at time t is not the clean token: holding the prompt clean is exact where positions are
    /// independent, and elsewhere leaves a distance that more steps do not close.
    @Test(arguments: Predictors.names)
    func uniformPromptsAreExactForIndependentPositions(_ name: String) throws {
        let template: [Int?] = [nil, 2, nil]
        let independent = TinyChain(UniformGraph(tokens: 3), noise: LogLinearNoise(), length: 3, independent: true)
        let distances = try conditional(independent, template, name, [64, 128, 256])
        #expect(distances[2] < 1e-5, "\(distances)")
        let dependent = try conditional(Self.uniform, template, name, [64, 128, 256, 512])
        #expect(dependent[3] > 0.5 * dependent[2], "it converges to another law: \(dependent)")
        #expect(dependent[3] < 0.2, "\(dependent)")
    }

    private func conditional(_ chain: TinyChain, _ template: [Int?], _ name: String, _ counts: [Int]) throws -> [Double]
    {
        func holds(_ number: Int, _ template: [Int?]) -> Bool {
            zip(chain.sequences[number], template).allSatisfy { $1 == nil || $0 == $1 }
        }
        let kept = chain.p0.indices.map { holds($0, template) ? chain.p0[$0] : 0 }
        let total = kept.reduce(0, +)
        // The start: noise with the template's tokens set.
        let free = template.count { $0 == nil }
        let size = (0..<free).reduce(1.0) { product, _ in product * Double(chain.graph.states) }
        let start = chain.sequences.indices.map { number -> Double in
            guard holds(number, template) else { return 0 }
            guard let mask = chain.graph.mask else { return 1 / size }
            return zip(chain.sequences[number], template).allSatisfy { $1 != nil || $0 == mask } ? 1 : 0
        }
        let distances = try counts.map {
            TinyChain.totalVariation(
                try exactly(chain, Predictors.named(name), steps: $0, from: start, template: template),
                kept.map { $0 / total })
        }
        let prompt = template.map { $0.map(String.init) ?? "_" }.joined(separator: " ")
        let row = zip(counts, distances).map { "\($0): \(String(format: "%.2e", $1))" }.joined(separator: "  ")
        print("oracle \(chain.graph.mask == nil ? "uniform" : "absorb"), \(name), prompt \(prompt)  \(row)")
        return distances
    }

    /// The sampler draws from the law that the enumeration gives for the same network: chi-square over all sequences.
    @Test(arguments: [ModelConfiguration.GraphKind.absorb, .uniform], Predictors.names)
    func theSamplerDrawsTheEnumeratedLaw(_ kind: ModelConfiguration.GraphKind, _ name: String) async throws {
        let configuration = smallConfiguration(kind, tokens: 3, length: 3)
        let network = try randomNetwork(configuration)
        let chain = TinyChain(configuration.makeGraph(), noise: try configuration.makeNoise(), length: 3)
        let template: [Int?] = [nil, nil, 1]
        let start = chain.sequences.map { sequence -> Double in
            guard sequence[2] == 1 else { return 0 }
            guard let mask = chain.graph.mask else { return 1.0 / 9 }
            return sequence[0] == mask && sequence[1] == mask ? 1 : 0
        }
        let law = try Self.sampled(chain, Predictors.named(name), steps: 3, from: start, template: template) {
            sigma, numbers in
            let tokens = try Tensor(numbers.flatMap { chain.sequences[$0] }, shape: [numbers.count, 3])
            let hidden = try network.hidden(tokens, sigma: [Double](repeating: sigma, count: numbers.count))
            return try network.logScore(hidden: hidden, chain.rows(numbers, sigma: sigma))
        }
        let draws = 6000
        let sampler = try Sampler(network: network, predictor: Predictors.named(name))
        let samples = try await sampler.sample(
            (0..<draws).map { .init(template: template, seed: UInt64($0), steps: 3) })
        var counts: [[Int]: Double] = [:]
        for sample in samples { counts[sample.states, default: 0] += 1 }
        var (statistic, cells) = (0.0, 0)
        for (number, p) in law.enumerated() where p > 0 {
            let expected = p * Double(draws)
            let found = counts.removeValue(forKey: chain.sequences[number]) ?? 0
            #expect(expected > 1 || found < 12)
            guard expected > 1 else { continue }
            statistic += (found - expected) * (found - expected) / expected
            cells += 1
        }
        #expect(counts.isEmpty, "sequences that the enumeration does not have")
        #expect(cells >= 4)
        // Chi-square with at most 8 degrees of freedom exceeds 42 with probability 1.3e-6: the false-alarm rate, were the seeds
        // drawn anew.
        #expect(statistic < 42, "chi-square \(statistic) over \(cells) cells")
    }
}
