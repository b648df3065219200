import Files
import Foundation
import Testing
import Torch

@testable import SEDD

/// Distributions of rows as tensors, against their definition.
@Suite struct RowTensorTests {
    private static let graphs: [any TransitionGraph] = [AbsorbingGraph(tokens: 7), UniformGraph(tokens: 7)]
    private static let sigmas = [0.05, 0.7, 3]
    private static let filters = [
        TokenFilter(), TokenFilter(temperature: 0.6), TokenFilter(topK: 3), TokenFilter(topP: 0.7),
        TokenFilter(temperature: 1.5, topK: 5, topP: 0.9), TokenFilter(topK: 100, topP: 1),
        TokenFilter(temperature: .leastNormalMagnitude),
        TokenFilter(temperature: .leastNonzeroMagnitude, topK: 3, topP: 0.5),
    ]

    /// Scores derived from a distribution of clean tokens, so that they are positive for the uniform chain too.
    private static func logs(_ graph: any TransitionGraph, _ own: [Int], _ sigma: [Double], seed: UInt64) -> [[Double]]
    {
        let stream = RandomStream(seed: seed, purpose: .initialization)
        return own.indices.map { row in
            let law = (0..<graph.tokens).map { exp(3 * stream.uniform(step: 0, sequence: row, position: $0)) }
            let total = law.reduce(0, +)
            return (0..<graph.states).map { state in
                if state == own[row] { return 0 }
                if graph.mask != nil { return log(law[state] / total / expm1(sigma[row])) }
                let (kept, even) = (exp(-sigma[row]), -expm1(-sigma[row]) / Double(graph.states))
                return log(kept * law[state] / total + even) - log(kept * law[own[row]] / total + even)
            }
        }
    }

    private static func rules(_ graph: any TransitionGraph, _ sigma: Double) -> [RowLaw] {
        [
            .linear(graph.analyticRule(sigmaStep: sigma / 3)), .linear(graph.eulerRule(scale: 0.2)),
            .linear(graph.denoisingRule(sigma: sigma)), .leap(scale: 0.4),
            .trapezoid(TrapezoidRule(later: 0.9, earlier: 0.4, isNormalised: graph.mask != nil)),
        ]
            + (graph.mask != nil
                ? []
                : [
                    .psi(
                        PsiRule(
                            ancestral: 0.8, step: graph.analyticRule(sigmaStep: sigma / 3),
                            clean: graph.denoisingRule(sigma: sigma), kept: 0.6))
                ])
    }

    @Test(arguments: graphs.indices) func weights(_ index: Int) throws {
        let graph = Self.graphs[index]
        let process = DiffusionProcess(graph: graph, noise: LogLinearNoise())
        let tensors = RowTensors(process: process)
        let own = Self.sigmas.flatMap { _ in graph.mask.map { [$0, $0] } ?? [0, 5] }
        let sigma = Self.sigmas.flatMap { [$0, $0] }
        let rows = try Rows(states: own, sigma: sigma)
        let (now, before) = (Self.logs(graph, own, sigma, seed: 1), Self.logs(graph, own, sigma, seed: 2))
        func tensor(_ logs: [[Double]]) throws -> LogScore {
            LogScore(try Tensor(logs.joined().map(Float.init), shape: [own.count, graph.states]))
        }
        for filter in Self.filters {
            let (score, earlier) = (
                try tensors.filtered(tensor(now), rows, filter).exponentiated(),
                try tensors.filtered(tensor(before), rows, filter).exponentiated()
            )
            for kind in Self.rules(graph, 1).indices {
                let laws = sigma.map { Self.rules(graph, $0)[kind] }
                let found: [Double] = try tensors.weights(laws, score, rows, earlier: earlier).array()
                let expected = own.indices.flatMap { row in
                    func plain(_ logs: [[Double]]) -> [Double] {
                        process.filtered(logs[row].map { exp($0) }, own: own[row], sigma: sigma[row], filter)
                    }
                    return laws[row].weights(plain(now), own: own[row], mask: graph.mask, earlier: plain(before))
                }
                for (place, (a, b)) in zip(found, expected).enumerated() {
                    let row = place / graph.states
                    let size = expected[row * graph.states..<(row + 1) * graph.states].max() ?? 0
                    #expect(
                        abs(a - b) <= 2e-5 * size,
                        "\(laws[row]) through \(filter), sigma \(sigma[row]), \(place): \(a) for \(b)")
                }
            }
        }
    }

    /// A filter that keeps everything returns the scores, and another one gives the filtered law.
    @Test(arguments: graphs.indices) func filteredScoresHaveTheFilteredLaw(_ index: Int) {
        let graph = Self.graphs[index]
        let process = DiffusionProcess(graph: graph, noise: LogLinearNoise())
        for sigma in Self.sigmas {
            let own = graph.mask ?? 2
            let score = Self.logs(graph, [own], [sigma], seed: 3)[0].map { exp($0) }
            let law = process.cleanLaw(score, own: own, sigma: sigma)
            let same = process.filtered(score, own: own, sigma: sigma, TokenFilter(topK: 100))
            for (a, b) in zip(same, score) { #expect(abs(a - b) < 1e-9 * max(1, b), "\(sigma): \(a) for \(b)") }
            for filter in Self.filters {
                let made = process.filtered(score, own: own, sigma: sigma, filter)
                let found = process.cleanLaw(made, own: own, sigma: sigma)
                for (a, b) in zip(found, filter(law)) { #expect(abs(a - b) < 1e-9, "\(filter): \(a) for \(b)") }
            }
        }
    }

    @Test func shapes() throws {
        let process = DiffusionProcess(graph: AbsorbingGraph(tokens: 4), noise: LogLinearNoise())
        let law: [Float] = [0.5, 0.25, 0.125, 0.125]
        let logs = law.map { log($0) } + [0] + [Float](repeating: 0, count: 5)
        let shapes = try RowTensors(process: process).shapes(
            LogScore(Tensor(logs, shape: [2, 5])), Rows(states: [4, 4], sigma: [1, 1]))
        #expect(abs(shapes[0].first - 0.5) < 1e-6 && abs(shapes[0].second - 0.25) < 1e-6)
        #expect(abs(shapes[0].entropy - 1.75 * log(2)) < 1e-6)
        #expect(abs(shapes[1].first - 0.25) < 1e-6 && abs(shapes[1].second - 0.25) < 1e-6, "the second of equal ones")
    }

    @Test func filters() {
        let table: [(TokenFilter, [Double], [Double])] = [
            (TokenFilter(), [1, 3], [0.25, 0.75]), (TokenFilter(temperature: 0.5), [1, 3], [0.1, 0.9]),
            (TokenFilter(topK: 1), [0.2, 0.5, 0.3], [0, 1, 0]),
            (TokenFilter(topK: 2), [0.2, 0.5, 0.3], [0, 0.625, 0.375]),
            (TokenFilter(topP: 0.5), [0.2, 0.5, 0.3], [0, 1, 0]),
            (TokenFilter(topP: 0.51), [0.2, 0.5, 0.3], [0, 0.625, 0.375]),
            (TokenFilter(topK: 1), [0.4, 0.4, 0.2], [1, 0, 0]),
        ]
        for (filter, law, expected) in table {
            for (a, b) in zip(filter(law), expected) { #expect(abs(a - b) < 1e-12, "\(filter): \(filter(law))") }
        }
        for bad in [
            TokenFilter(temperature: 0), TokenFilter(temperature: .nan), TokenFilter(topK: 0), TokenFilter(topP: 0),
            TokenFilter(topP: 1.01), TokenFilter(temperature: .infinity),
        ] {
            let error = #expect(throws: SEDDError.self) { try bad.validate() }
            #expect(error?.kind == .usage)
        }
    }
}
