import Foundation
import Testing

@testable import SEDD

/// The limits of the grid methods, for both chains and both schedules, given the exact score. Nothing is drawn, so
/// there are no false alarms.
@Suite struct SamplerOracleTests {
    static let chains: [(name: String, chain: TinyChain)] = [
        ("absorb, log-linear", TinyChain(AbsorbingGraph(tokens: 3), noise: LogLinearNoise(), length: 2)),
        ("uniform, log-linear", TinyChain(UniformGraph(tokens: 3), noise: LogLinearNoise(), length: 2)),
        ("absorb, geometric", TinyChain(AbsorbingGraph(tokens: 3), noise: geometric, length: 2)),
        ("uniform, geometric", TinyChain(UniformGraph(tokens: 3), noise: geometric, length: 2)),
    ]
    static var geometric: any NoiseSchedule {
        (try? GeometricNoise(minimum: 1e-4, maximum: 8)) ?? LogLinearNoise()
    }
    private static let absorb = TinyChain(AbsorbingGraph(tokens: 3), noise: LogLinearNoise(), length: 3)
    private static let uniform = TinyChain(UniformGraph(tokens: 3), noise: LogLinearNoise(), length: 3)

    /// Starting from the exact p_1, the law of the samples converges to p0 as 1 / S; starting from the limit, as the
    /// sampler does, the difference between the two starts remains.
    @Test(arguments: chains.indices, ["analytic", "euler"])
    func lawsConvergeAtFirstOrder(_ index: Int, _ name: String) throws {
        let (graph, chain) = Self.chains[index]
        let last = Dictionary(
            uniqueKeysWithValues: zip(chain.sequences, chain.law(chain.noise.sigma(1))).filter { $1 > 0 })
        let floor = TinyChain.totalVariation(chain.law(chain.noise.sigma(1)), chain.limit())
        func law(_ steps: Int, from start: [[Int]: Double]?) throws -> Double {
            try chain.oracle.law(SamplingSettings(method: name, steps: steps), template: [nil, nil], from: start)
                .totalVariation(from: chain.law)
        }
        let counts = [8, 16, 32, 64]
        let distances = try counts.map { try law($0, from: last) }
        let limit = try law(64, from: nil)
        let row = zip(counts, distances).map { "\($0): \(String(format: "%.2e", $1))" }.joined(separator: "  ")
        print(
            "oracle \(graph), \(name), total variation from p0 by steps  \(row)  from the limit, 64: "
                + String(format: "%.2e, at most %.2e more", limit, floor))
        let orders = zip(distances, distances.dropFirst()).map { log2($0 / $1) }
        for order in orders.suffix(2) { #expect(order > 0.8 && order < 1.35, "\(graph), \(name): orders \(orders)") }
        #expect(distances[3] < 4e-2, "\(distances)")
        // A chain does not amplify differences: the error of the start bounds its contribution.
        #expect(limit <= distances[3] + floor + 1e-6)
    }

    /// In an absorbing chain unmasked tokens are clean, and the law of the rest converges to the exact conditional one.
    @Test(
        arguments: [[0, nil, nil], [nil, 2, nil], [nil, nil, 1], [2, nil, 0], [nil, 1, 1]] as [[Int?]],
        ["analytic", "euler"])
    func conditionalLawsConverge(_ template: [Int?], _ name: String) throws {
        let distances = try conditional(Self.absorb, template, name, [16, 32, 64])
        let orders = zip(distances, distances.dropFirst()).map { log2($0 / $1) }
        // With one free position, or two that the prompt between them makes independent, treating positions separately
        // is not an error, and the law is exact from the first step.
        guard template.count(where: { $0 == nil }) > 1, template[1] == nil else {
            return #expect(distances.allSatisfy { $0 < 1e-6 }, "\(template), \(name): \(distances)")
        }
        #expect(orders.allSatisfy { $0 > 0.8 && $0 < 1.3 }, "\(template), \(name): \(distances)")
        #expect(distances[2] < 4e-3, "\(template), \(name): \(distances)")
    }

    /// Under the uniform chain a state at time t is not the clean token: keeping the prompt clean is exact if positions
    /// are independent, and otherwise leaves an error that more steps do not reduce.
    @Test(arguments: ["analytic", "euler"])
    func uniformPromptsAreExactForIndependentPositions(_ name: String) throws {
        let template: [Int?] = [nil, 2, nil]
        let independent = TinyChain(UniformGraph(tokens: 3), noise: LogLinearNoise(), length: 3, independent: true)
        let distances = try conditional(independent, template, name, [16, 32])
        #expect(distances[1] < 1e-4, "\(distances)")
        let dependent = try conditional(Self.uniform, template, name, [16, 32, 64])
        #expect(dependent[2] > 0.5 * dependent[1], "it converges to another law: \(dependent)")
        #expect(dependent[2] < 0.2, "\(dependent)")
    }

    private func conditional(_ chain: TinyChain, _ template: [Int?], _ name: String, _ counts: [Int]) throws -> [Double]
    {
        let kept = chain.law.filter { sequence, _ in zip(sequence, template).allSatisfy { $1 == nil || $0 == $1 } }
        let total = kept.values.reduce(0, +)
        let distances = try counts.map { steps in
            try chain.oracle.law(SamplingSettings(method: name, steps: steps), template: template)
                .totalVariation(from: kept.mapValues { $0 / total })
        }
        let prompt = template.map { $0.map(String.init) ?? "_" }.joined(separator: " ")
        let row = zip(counts, distances).map { "\($0): \(String(format: "%.2e", $1))" }.joined(separator: "  ")
        print("oracle \(chain.graph.mask == nil ? "uniform" : "absorb"), \(name), prompt \(prompt)  \(row)")
        return distances
    }
}
