import Files
import Foundation
import Testing
import Torch

@testable import SEDD

/// The exact likelihood of orders that depend only on the state.
@Suite struct OrderLikelihoodTests {
    private static let sequences = (0..<27).map { [$0 / 9, $0 / 3 % 3, $0 % 3] }

    private static let settings: [SamplingSettings] =
        ["confidence", "margin", "entropy", "left-to-right"].flatMap { name in
            [1.0, 2].map { SamplingSettings(method: name, own: ["positions": .number($0)]) }
        } + [0, 0.4, 1000].map { SamplingSettings(method: "entropy-bound", own: ["gamma": .number($0)]) }
        + [SamplingSettings(method: "confidence", filter: TokenFilter(topP: 0.9), own: ["positions": .number(1)])]

    /// The likelihoods of all texts sum to 1, and equal those of the sampler's enumeration.
    @Test(arguments: settings) func likelihoodsAreTheLawOfTheSampler(_ settings: SamplingSettings) throws {
        let network = try randomNetwork(smallConfiguration(tokens: 3, length: 3))
        let likelihood = try OrderLikelihood(network: network, sampling: settings, tokensPerBatch: 30)
        let nats = try likelihood.nats(Self.sequences.enumerated().map { (number: $0, tokens: $1) }).map { $0[0] }
        let law = nats.map { exp(-$0) }
        #expect(abs(law.reduce(0, +) - 1) < 1e-5, "\(settings.summary): \(law.reduce(0, +))")
        let process = try DiffusionProcess(network.configuration)
        let oracle = MethodOracle(process: process, scores: NetworkScores(network))
        let enumerated = try oracle.law(settings, template: [nil, nil, nil])
        for (sequence, p) in zip(Self.sequences, law) {
            let expected = enumerated.probabilities[sequence] ?? 0
            #expect(abs(p - expected) < 1e-5, "\(settings.summary), \(sequence): \(p), enumerated \(expected)")
        }
        // Each text is as likely as any here, so the evaluations are those of the mean over texts.
        let found = try #require(likelihood.evaluationsPerBlock)
        #expect(found >= 1 && found <= 3)
        if let positions = settings.own["positions"], positions == .number(1) { #expect(found == 3) }
    }

    /// Steps are part of the settings exactly if they affect the likelihood: finished blocks are kept by them.
    @Test func settingsTellLawsApart() throws {
        let network = try randomNetwork(smallConfiguration())
        func settings(_ steps: Int, _ own: [String: SettingValue] = [:]) throws -> EvaluationSettings {
            try OrderLikelihood(
                network: network, sampling: SamplingSettings(method: "confidence", steps: steps, own: own)
            ).settings
        }
        #expect(try settings(4) != settings(8))
        #expect(try settings(4, ["positions": .number(2)]) == settings(8, ["positions": .number(2)]))
    }

    @Test func refusals() throws {
        let absorb = try randomNetwork(smallConfiguration())
        let uniform = try randomNetwork(smallConfiguration(.uniform))
        for (network, name, words) in [
            (absorb, "random", "does not depend on the state"), (absorb, "analytic", "confidence, margin"),
            (absorb, "backwards", "unknown"), (uniform, "confidence", "uniform"),
        ] {
            let error = #expect(throws: SEDDError.self) {
                try OrderLikelihood(network: network, sampling: SamplingSettings(method: name))
            }
            #expect(error?.kind == .usage && error?.description.contains(words) == true, "\(String(describing: error))")
        }
    }

    /// A uniform model has an entropy of log n at every fraction; apart from noise, a profile decreases.
    @Test func profiles() throws {
        let blind = try ScoreNetwork(smallConfiguration(), seed: 2)
        let blocks = (0..<8).map { row in (0..<12).map { (row * 5 + $0 * 3) % 11 } }
        let flat = try ProfileMeasurement(network: blind, knots: 5).profile(blocks, tokensPerBatch: 24)
        #expect(flat.nats.count == 5)
        for nats in flat.nats { #expect(abs(nats - log(11)) < 1e-5, "\(flat.nats)") }
        let network = try randomNetwork(smallConfiguration())
        let measured = try ProfileMeasurement(network: network, knots: 5).profile(blocks)
        #expect(zip(measured.nats, measured.nats.dropFirst()).allSatisfy { $0 >= $1 })
        let settings = SamplingSettings(steps: 6, grid: .profile)
        let sampler = try Sampler(network: network, profile: measured)
        let found = try sampler.sample([.init(template: [Int?](repeating: nil, count: 12), seed: 1, settings: settings)]
        )
        #expect(found[0].states.allSatisfy { $0 < 11 } && found[0].networkEvaluations <= 7)
        #expect(throws: SEDDError.self) { try ProfileMeasurement(network: randomNetwork(smallConfiguration(.uniform))) }
    }
}
