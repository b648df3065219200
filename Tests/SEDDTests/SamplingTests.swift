import Files
import Foundation
import Testing
import Text
import Torch

@testable import SEDD

struct SamplingTests {
    private func sample(
        _ network: ScoreNetwork, _ templates: [[Int?]], seeds: [UInt64], steps: [Int], _ predictor: any Predictor
    ) async throws -> [SequenceState] {
        let sampler = try Sampler(network: network, predictor: predictor)
        return try await sampler.sample(
            templates.indices.map { .init(template: templates[$0], seed: seeds[$0], steps: steps[$0]) })
    }

    /// A sequence is the same alone and among others with other seeds, steps and templates.
    @Test(arguments: [ModelConfiguration.GraphKind.absorb, .uniform], Predictors.names)
    func batchDoesNotMatter(_ graph: ModelConfiguration.GraphKind, _ name: String) async throws {
        let network = try randomNetwork(smallConfiguration(graph))
        let predictor = try Predictors.named(name)
        let templates: [[Int?]] = (0..<6).map { row in (0..<12).map { ($0 + row) % 5 == 0 ? row : nil } }
        let seeds = (0..<6).map { UInt64($0 + 40) }
        let steps = [3, 8, 16, 5, 8, 11]
        let together = try await sample(network, templates, seeds: seeds, steps: steps, predictor)
        for row in 0..<6 {
            let alone = try await sample(network, [templates[row]], seeds: [seeds[row]], steps: [steps[row]], predictor)
            #expect(alone[0].states == together[row].states, "row \(row)")
            #expect(alone[0].networkEvaluations == together[row].networkEvaluations)
        }
    }

    @Test(arguments: [ModelConfiguration.GraphKind.absorb, .uniform], Predictors.names)
    func templatesHoldAtEveryStep(_ graph: ModelConfiguration.GraphKind, _ name: String) async throws {
        let network = try randomNetwork(smallConfiguration(graph))
        let template: [Int?] = [4, nil, nil, 7, nil, 1, nil, nil, nil, nil, 0, 9]
        let sampler = try Sampler(network: network, predictor: Predictors.named(name))
        var count = 0
        var last: [Int] = []
        for try await states in try sampler.states([.init(template: template, seed: 2, steps: 9)]) {
            for (position, token) in template.enumerated() where token != nil {
                #expect(states[0].states[position] == token)
            }
            last = states[0].states
            count += 1
        }
        #expect(count == 11, "the noise, nine steps and the denoising")
        #expect(last.allSatisfy { $0 < 11 }, "no MASK is left")
    }

    @Test func noEvaluationOnceAllIsSettled() async throws {
        let network = try randomNetwork(smallConfiguration())
        let template: [Int?] = [1, 2, 3, nil] + [Int?](repeating: 5, count: 8)
        let result = try await sample(network, [template], seeds: [1], steps: [200], AnalyticPredictor())
        #expect(result[0].networkEvaluations < 201)
        let full = try await sample(network, [template.map { $0 ?? 0 }], seeds: [1], steps: [200], AnalyticPredictor())
        #expect(full[0].networkEvaluations == 0)
    }

    /// The law of one draw: chi-square over 40000 rows, negative weights as zeros, sums other than 1.
    @Test func inverseCDFDrawsTheLaw() throws {
        let weights: [Float] = [0.5, -3, 0, 1.25, 0.05, 0.2]
        let rows = 40_000
        let stream = RandomStream(seed: 8, purpose: .reverseStep)
        let matrix = try Tensor(weights, shape: [1, 6]).expanded([rows, 6])
        let drawn = try InverseCDF.draw(matrix, uniforms: (0..<rows).map { stream.uniform(step: 0, sequence: $0) })
        var counts = [Double](repeating: 0, count: 6)
        for index in drawn { counts[index] += 1 }
        #expect(counts[1] == 0 && counts[2] == 0)
        let total = 2.0
        let statistic = [0, 3, 4, 5].reduce(0.0) { sum, state in
            let expected = Double(weights[state]) / total * Double(rows)
            return sum + (counts[state] - expected) * (counts[state] - expected) / expected
        }
        // Chi-square with 3 degrees of freedom exceeds 30 with probability 1.4e-6.
        #expect(statistic < 30, "chi-square \(statistic)")
    }

    /// States of 1e-9 of the largest weight are reached, which float32 races never do.
    @Test func inverseCDFReachesTheTail() throws {
        let weights = [Float(1)] + [Float](repeating: 1e-9, count: 50_000)
        let matrix = try Tensor(weights, shape: [1, weights.count])
        let total = 1 + 50_000e-9
        #expect(try InverseCDF.draw(matrix, uniforms: [(1 + 250.5e-9) / total]) == [251])
        #expect(try InverseCDF.draw(matrix, uniforms: [1 - 0x1p-53])[0] <= 50_000)
    }

    @Test func inverseCDFRefusesWhatIsNoLaw() throws {
        for bad in [[Float.nan, 1], [.infinity, 1], [0, 0], [-1, 0]] {
            let error = #expect(throws: SEDDError.self) {
                try InverseCDF.draw(Tensor(bad, shape: [1, 2]), uniforms: [0.5])
            }
            #expect(error?.kind == .diverged)
        }
    }

    @Test func requestsThatMakeNoSense() throws {
        let sampler = try Sampler(network: randomNetwork(smallConfiguration()))
        for request in [
            Sampler.Request(template: [], seed: 0, steps: 4), .init(template: [nil], seed: 0, steps: 0),
            .init(template: [11], seed: 0, steps: 4), .init(template: [-1], seed: 0, steps: 4),
        ] {
            let error = #expect(throws: SEDDError.self) { try sampler.states([request]) }
            #expect(error?.kind == .usage)
        }
        #expect(throws: SEDDError.self) { try Predictors.named("heun") }
    }
}
