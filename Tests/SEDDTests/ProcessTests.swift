import Files
import Foundation
import Testing
import Torch

@testable import SEDD

/// The two chains: corruption, loss and reverse steps against plain float64 formulas.
struct ProcessTests {
    static let graphs: [any TransitionGraph] = [AbsorbingGraph(tokens: 6), UniformGraph(tokens: 6)]

    /// exp(sigma Q) from state `from` to state `to`, from the definition of Q.
    private func transition(_ graph: any TransitionGraph, _ from: Int, _ to: Int, _ sigma: Double) -> Double {
        let stay = exp(-sigma)
        if let mask = graph.mask {
            if from == mask { return to == mask ? 1 : 0 }
            return to == from ? stay : to == mask ? 1 - stay : 0
        }
        return (1 - stay) / Double(graph.states) + (to == from ? stay : 0)
    }

    @Test(arguments: graphs)
    func corruptionFollowsTheChain(_ graph: any TransitionGraph) {
        let stream = RandomStream(seed: 3, purpose: .corruption)
        let sigma = 0.7
        let draws = 60_000
        var counts = [Double](repeating: 0, count: graph.states)
        for draw in 0..<draws {
            counts[graph.corrupted(2, sigma: sigma) { stream.uniform(step: 1, sequence: draw, draw: $0) }] += 1
        }
        var statistic = 0.0
        var cells = 0
        for state in 0..<graph.states {
            let expected = transition(graph, 2, state, sigma) * Double(draws)
            guard expected > 0 else {
                #expect(counts[state] == 0)
                continue
            }
            statistic += (counts[state] - expected) * (counts[state] - expected) / expected
            cells += 1
        }
        // Chi-square with at most 5 degrees of freedom exceeds 35 with probability 1.5e-6: the false-alarm rate.
        #expect(statistic < 35, "chi-square \(statistic) over \(cells) cells")
    }

    @Test(arguments: graphs)
    func entropyIsItsDefinition(_ graph: any TransitionGraph) throws {
        let (v, sigma) = (graph.states, 0.4)
        let stream = RandomStream(seed: 1, purpose: .initialization)
        var cases: [(x: Int, x0: Int)] = []
        for x in 0..<v {
            for x0 in 0..<graph.tokens where transition(graph, x0, x, sigma) > 0 { cases.append((x, x0)) }
        }
        var logs = cases.indices.map { row in
            (0..<v).map { 2 * stream.uniform(step: 0, sequence: row, position: $0) - 1 }
        }
        for (row, item) in cases.enumerated() { logs[row][item.x] = 0 }
        let rows = try Rows(states: cases.map(\.x), sigma: cases.map { _ in sigma })
        let result = try graph.scoreEntropy(
            LogScore(Tensor(logs.flatMap { $0.map(Float.init) }, shape: [cases.count, v])), rows,
            clean: Tensor(cases.map(\.x0)), gradient: true)
        let expected = zip(cases, logs).map { item, log -> Double in
            guard graph.canMove(from: item.x) else { return 0 }
            return (0..<v).reduce(0.0) { sum, y in
                // Rate from y to x, the weight that the reverse process gives y.
                let rate = graph.mask != nil ? (y == graph.mask ? 0 : 1) : 1 / Double(v)
                guard y != item.x, rate > 0 else { return sum }
                let r = transition(graph, item.x0, y, sigma) / transition(graph, item.x0, item.x, sigma)
                let constant = r > 0 ? r * (Foundation.log(r) - 1) : 0
                return sum + rate * (exp(log[y]) - r * log[y] + constant)
            }
        }
        let difference = Difference(try result.entropy.array(), expected)
        #expect(difference.absolute < 1e-5, "\(difference)")
        #expect(expected.allSatisfy { $0 >= 0 })
    }

    @Test(arguments: graphs)
    func gradientIsTheDerivative(_ graph: any TransitionGraph) throws {
        let v = graph.states
        let x = graph.mask ?? 3
        let rows = try Rows(states: [x], sigma: [0.9])
        let clean = try Tensor([2])
        var logs = (0..<v).map { Float(0.3 * Double($0) - 0.8) }
        logs[x] = 0
        func entropy(_ logs: [Float]) throws -> Double {
            try graph.scoreEntropy(LogScore(Tensor(logs, shape: [1, v])), rows, clean: clean, gradient: false)
                .entropy.item()
        }
        let result = try graph.scoreEntropy(LogScore(Tensor(logs, shape: [1, v])), rows, clean: clean, gradient: true)
        let gradient: [Double] = try #require(result.gradient).array()
        for y in 0..<v where y != x {
            let step: Float = 1e-2
            var (up, down) = (logs, logs)
            up[y] += step
            down[y] -= step
            let slope = try (entropy(up) - entropy(down)) / Double(up[y] - down[y])
            #expect(abs(slope - gradient[y]) < 2e-4, "state \(y): slope \(slope), gradient \(gradient[y])")
        }
        #expect(gradient[x] == 0)
    }

    /// At the true ratios the loss of one clean token is 0, its least value; finite for every sigma at a real vocabulary.
    @Test(arguments: [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 5, 10, 20])
    func finiteAndLeastAtTheTruth(_ sigma: Double) throws {
        for graph in [AbsorbingGraph(tokens: 50257), UniformGraph(tokens: 50258)] as [any TransitionGraph] {
            let pairs = graph.mask.map { [($0, 17)] } ?? [(17, 17), (23, 17)]
            for (x, x0) in pairs {
                let base = transition(graph, x0, x, sigma)
                let logs = (0..<graph.states).map { y -> Float in
                    if y == x { return 0 }
                    let ratio = transition(graph, x0, y, sigma) / base
                    return Float(ratio > 0 ? Foundation.log(ratio) : -60)
                }
                let rows = try Rows(states: [x], sigma: [sigma])
                let clean = try Tensor([x0])
                func loss(_ logs: [Float]) throws -> Double {
                    try graph.scoreEntropy(
                        LogScore(Tensor(logs, shape: [1, graph.states])), rows, clean: clean, gradient: true
                    )
                    .entropy.item()
                }
                let atTruth = try loss(logs)
                // float32 logs of about 25 are rounded to 1e-6, squared and times a ratio of up to 5e10.
                let rounding = max(2e-5, 1e-11 * exp(Double(logs[x0])))
                #expect(abs(atTruth) < rounding, "\(graph) x \(x) sigma \(sigma): \(atTruth)")
                var worse = logs
                worse[x0 == x ? x0 + 1 : x0] += 1
                #expect(try loss(worse) > atTruth)
                let zeros = [Float](repeating: 0, count: graph.states)
                let result = try graph.scoreEntropy(
                    LogScore(Tensor(zeros, shape: [1, graph.states])), rows, clean: clean, gradient: true)
                #expect(try result.entropy.item().isFinite)
                #expect(try #require(result.gradient).isFinite().all().item() == 1)
            }
        }
    }

    /// With the true ratios of a single token, each rule's weights are the law of the earlier state.
    @Test(arguments: graphs)
    func analyticStepIsBayes(_ graph: any TransitionGraph) throws {
        let (x0, sigma, step) = (1, 1.1, 0.4)
        for x in 0..<graph.states where transition(graph, x0, x, sigma) > 0 {
            let base = transition(graph, x0, x, sigma)
            let scores = (0..<graph.states).map { Float(transition(graph, x0, $0, sigma) / base) }
            let rows = try Rows(states: [x], sigma: [sigma])
            let weights: [Double] = try graph.analyticWeights(
                Score(Tensor(scores, shape: [1, graph.states])), rows, sigmaStep: Tensor([step], shape: [1, 1])
            ).array()
            let expected = (0..<graph.states).map { y in
                transition(graph, x0, y, sigma - step) * transition(graph, y, x, step) / base
            }
            let difference = Difference(weights, expected)
            #expect(difference.absolute < 1e-6, "x \(x): \(difference)")
        }
    }

    @Test func schedules() throws {
        let geometric = try GeometricNoise(minimum: 1e-4, maximum: 20)
        for noise in [LogLinearNoise(), geometric] as [any NoiseSchedule] {
            for t in stride(from: 0.01, through: 0.99, by: 0.07) {
                let slope = (noise.sigma(t + 1e-6) - noise.sigma(t - 1e-6)) / 2e-6
                #expect(abs(slope / noise.sigmaRate(t) - 1) < 1e-6)
            }
        }
        #expect(abs(LogLinearNoise().sigma(1) + log(1e-3)) < 1e-9)
        // Within the bounds, what scores are multiplied by is a float32 number.
        #expect(Float(expm1(GeometricNoise.bounds.upperBound)).isFinite)
        #expect(Float(1 / GeometricNoise.bounds.lowerBound).isFinite)
        for (minimum, maximum) in [
            (2, 1), (1, 1), (0, 1), (-1, 1), (.leastNonzeroMagnitude, 1), (1e-4, 81), (1e-4, 1e308), (1e-4, .infinity),
            (.nan, 1),
            (1e-4, .nan),
        ] {
            #expect(throws: SEDDError.self, "\(minimum), \(maximum)") {
                try GeometricNoise(minimum: minimum, maximum: maximum)
            }
        }
    }
}
