import Foundation
import Testing
import Torch

@testable import SEDD

/// The kernels after the head, against plain operators.
@Suite struct HeadKernelTests {
    private static let sigmas = [1e-6, 1e-3, 0.1, 1, 5, 20]

    /// Rows in every situation: each sigma with states equal to and other than the clean token, and MASK.
    private struct Case {
        let graph: any TransitionGraph
        let logits: [Float]
        var states: [Int] = []
        var clean: [Int] = []
        var sigma: [Double] = []

        init(_ graph: any TransitionGraph) {
            self.graph = graph
            for sigma in HeadKernelTests.sigmas {
                for clean in [0, graph.tokens / 2, graph.tokens - 1] {
                    for state in Set([clean, 0, graph.tokens - 1, graph.states - 1]).sorted() {
                        states.append(state)
                        self.clean.append(clean)
                        self.sigma.append(sigma)
                    }
                }
            }
            let stream = RandomStream(seed: 3, purpose: .initialization)
            logits = (0..<states.count * graph.states).map {
                Float(6 * stream.uniform(step: 0, sequence: 0, position: $0) - 3)
            }
        }

        var shape: [Int] { [states.count, graph.states] }
        func rows() throws -> Rows { try Rows(states: states, sigma: sigma) }
        func shift(_ scaled: Bool) -> [Double] {
            sigma.map { scaled ? $0 + log(-expm1(-$0)) + log(Double(graph.states - 1)) : 0 }
        }

        func logScore(_ scaled: Bool) throws -> LogScore {
            let rows = try rows()
            let shift = try Tensor(shift(scaled).map(Float.init), shape: [states.count, 1])
            return LogScore(
                try (Tensor(logits, shape: shape) - shift).scattered(1, rows.states.unsqueezed(1), value: 0))
        }
    }

    private static let graphs: [any TransitionGraph] = [
        AbsorbingGraph(tokens: 1), AbsorbingGraph(tokens: 27), AbsorbingGraph(tokens: 1500), UniformGraph(tokens: 2),
        UniformGraph(tokens: 27), UniformGraph(tokens: 1500),
    ]

    @Test(arguments: graphs, [false, true])
    func scoreEntropy(_ graph: any TransitionGraph, _ scaled: Bool) throws {
        let given = Case(graph)
        let factors = given.states.indices.map { Double($0 % 5) - 1.5 }
        let clean = try Tensor(given.clean)
        let plain = try graph.scoreEntropy(given.logScore(scaled), given.rows(), clean: clean, gradient: true)
        let slopes = try #require(plain.gradient) * Tensor(factors.map(Float.init), shape: [factors.count, 1])

        let logits = try Tensor(given.logits, shape: given.shape)
        let entropy = try Kernels.scoreEntropy(
            logits, states: Tensor(given.states), clean: clean, sigma: given.rows().sigma,
            shift: Tensor(given.shift(scaled)),
            factors: Tensor(factors), chain: #require(graph.kernelChain))
        let (found, expected): ([Double], [Double]) = try (entropy.array(), plain.entropy.array())
        let (pulled, wanted): ([Double], [Double]) = try (logits.array(), slopes.array())
        for row in given.states.indices {
            let place = "row \(row): sigma \(given.sigma[row]), state \(given.states[row]), clean \(given.clean[row])"
            // The plain version sums as many float32 terms as there are states.
            let size = max(abs(expected[row]), Double(graph.states), 1)
            #expect(abs(found[row] - expected[row]) <= 1e-5 * size, "\(place): \(found[row]) for \(expected[row])")
            let range = row * graph.states..<(row + 1) * graph.states
            let largest = wanted[range].map(abs).max() ?? 0
            for place in range {
                #expect(abs(pulled[place] - wanted[place]) <= 2e-6 * largest, "gradient \(place) of row \(row)")
            }
        }
    }

    @Test(arguments: graphs, ["analytic", "euler", "denoising"])
    func reverseStep(_ graph: any TransitionGraph, _ name: String) throws {
        let given = Case(graph)
        let open = given.states.indices.filter { graph.canMove(from: given.states[$0]) }
        for row in open {
            let sigma = given.sigma[row]
            let score = try LogScore(
                given.logScore(true).tensor.narrowed(0, from: row, length: 1)
            ).exponentiated()
            let rows = try Rows(states: [given.states[row]], sigma: [sigma])
            let (rule, weights) =
                switch name {
                case "analytic":
                    (
                        graph.analyticRule(sigmaStep: 0.4 * sigma),
                        try graph.analyticWeights(score, rows, sigmaStep: Tensor([0.4 * sigma], shape: [1, 1]))
                    )
                case "euler":
                    (
                        graph.eulerRule(scale: 0.3 * sigma),
                        try graph.eulerWeights(score, rows, scale: Tensor([0.3 * sigma], shape: [1, 1]))
                    )
                default: (graph.denoisingRule(sigma: sigma), try graph.denoisingWeights(score, rows))
                }
            let plain: [Double] = try weights.clamped(minimum: 0).array()
            let total = plain.reduce(0, +)
            guard total > 0 else { continue }
            // Draws at the middle of each state's share hit that state: the whole law agrees.
            var below = 0.0
            var (middles, shares): ([Double], [Int]) = ([], [])
            for (state, weight) in plain.enumerated() {
                // The plain form's own weights are rounded by about 1e-7 of their sum.
                if weight > 1e-4 * total {
                    middles.append((below + weight / 2) / total)
                    shares.append(state)
                }
                below += weight
            }
            let logits = given.logits[row * graph.states..<(row + 1) * graph.states]
            let many = Array(repeating: logits, count: middles.count).flatMap { $0 }
            let result = try Kernels.reverseStep(
                Tensor(many, shape: [middles.count, graph.states]),
                states: Tensor([Int](repeating: given.states[row], count: middles.count)),
                shift: Tensor([Double](repeating: given.shift(true)[row], count: middles.count)),
                rules: Tensor(
                    Array(repeating: rule.numbers, count: middles.count).flatMap { $0 }, shape: [middles.count, 5]),
                uniforms: Tensor(middles))
            #expect(result.drawn == shares, "sigma \(sigma), row \(row), \(name)")
            #expect(result.totals.allSatisfy { abs($0 - total) <= 1e-5 * total })
        }
    }

    // A weight of 1e-30 of the sum can be drawn, and the ends of (0, 1) draw the first and the last state.
    @Test func reverseStepReachesTheTail() throws {
        let logits: [Float] = [0, -69, 0, 0]
        let rule = ReverseRule(slope: 1, own: 0, ownSpread: 0)
        func draw(_ uniform: Double) throws -> Int {
            try Kernels.reverseStep(
                Tensor(logits, shape: [1, 4]), states: Tensor([3]), shift: Tensor([0.0]),
                rules: Tensor(rule.numbers, shape: [1, 5]), uniforms: Tensor([uniform])
            ).drawn[0]
        }
        #expect(try draw(1e-300) == 0)
        #expect(try draw(1 - 0x1p-53) == 2)
        let half = try (0..<64).map { try draw(0.5 + Double($0 - 32) * 0x1p-54) }
        #expect(Set(half).isSubset(of: [0, 1, 2]) && half.contains(0) && half.contains(2))
    }

    @Test(arguments: [Float.nan, .infinity])
    func scoresThatAreNoNumbers(_ bad: Float) throws {
        let result = try Kernels.reverseStep(
            Tensor([0, bad, 0], shape: [1, 3]), states: Tensor([2]), shift: Tensor([0.0]),
            rules: Tensor(ReverseRule.remaining(slope: 0.5).numbers, shape: [1, 5]), uniforms: Tensor([0.5]))
        #expect(result.drawn == [-1] && !result.totals[0].isFinite)
        let entropy = try Kernels.scoreEntropy(
            Tensor([0, bad, 0], shape: [1, 3]), states: Tensor([2]), clean: Tensor([0]), sigma: Tensor([1.0]),
            shift: Tensor([0.0]), factors: Tensor([1.0]), chain: .absorbing)
        #expect(try !entropy.array(Double.self)[0].isFinite)
    }

    @Test func norm() throws {
        let values = (0..<40_003).map { Float($0 % 17) - 8 }
        let expected = values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(try Kernels.norm(Tensor(values)) == expected)
        // Squares outside the range of float.
        #expect(try abs(Kernels.norm(Tensor([3e30, 4e30] as [Float])) / 5e30 - 1) < 1e-7)
    }
}
