import Files
import Foundation
import Testing
import Text
import Torch

@testable import SEDD

struct SamplingTests {
    private func sample(
        _ network: ScoreNetwork, _ templates: [[Int?]], seeds: [UInt64], _ settings: [SamplingSettings]
    ) throws -> [Trajectory] {
        let sampler = try Sampler(network: network)
        return try sampler.sample(
            templates.indices.map { .init(template: templates[$0], seed: seeds[$0], settings: settings[$0]) })
    }

    /// The methods that reverse a chain.
    private static func names(_ graph: ModelConfiguration.GraphKind) -> [String] {
        SamplingMethods.all.filter { $0.reverses(smallConfiguration(graph).makeGraph()) }.map(\.name)
    }

    /// A sequence is the same alone and in a batch with other seeds, methods, steps, filters and templates.
    @Test(arguments: NetworkKind.all)
    func batchDoesNotMatter(_ kind: NetworkKind) throws {
        let network = try randomNetwork(kind.configuration())
        let names = Self.names(kind.graph)
        let count = 3 * names.count
        let templates: [[Int?]] = (0..<count).map { row in (0..<12).map { ($0 + row) % 5 == 0 ? row % 11 : nil } }
        let seeds = (0..<count).map { UInt64($0 + 40) }
        let settings = (0..<count).map { row in
            SamplingSettings(
                method: names[row % names.count], steps: [3, 8, 16, 5, 11][row % 5],
                filter: TokenFilter(topP: row % 3 == 0 ? 0.9 : nil))
        }
        let together = try sample(network, templates, seeds: seeds, settings)
        for row in 0..<count {
            let alone = try sample(network, [templates[row]], seeds: [seeds[row]], [settings[row]])
            #expect(alone[0].states == together[row].states, "row \(row), \(settings[row].summary)")
            #expect(alone[0].networkEvaluations == together[row].networkEvaluations)
        }
    }

    @Test(arguments: NetworkKind.all)
    func templatesHoldAtEveryStep(_ kind: NetworkKind) async throws {
        let network = try randomNetwork(kind.configuration())
        let template: [Int?] = [4, nil, nil, 7, nil, 1, nil, nil, nil, nil, 0, 9]
        let sampler = try Sampler(network: network)
        for name in Self.names(kind.graph) {
            let settings = SamplingSettings(method: name, steps: 9)
            var states: [Trajectory] = []
            for try await now in try sampler.states([.init(template: template, seed: 2, settings: settings)]) {
                for (position, token) in template.enumerated() where token != nil {
                    #expect(now[0].states[position] == token, "\(name)")
                }
                states.append(now[0])
            }
            let last = try #require(states.last)
            #expect(last.isFinished && last.time == 0)
            #expect(last.states.allSatisfy { $0 < 11 }, "\(name): no MASK is left")
            #expect(
                states.count == last.done + 1 && last.done <= last.planned, "\(name): \(last.done) of \(last.planned)")
            for (earlier, later) in zip(states, states.dropFirst()) {
                #expect(later.time <= earlier.time)
                // The reported changes of each advance are those that it made.
                var made = earlier.states
                for change in later.changes { made[change.position] = change.state }
                #expect(made == later.states, "\(name)")
            }
        }
    }

    /// Only methods that follow a grid are affected by steps and spacing, as each declares.
    @Test(arguments: SamplingMethods.all)
    func whatUsesGrids(_ kind: SamplingMethodKind) throws {
        let network = try randomNetwork(smallConfiguration(kind.chains == .uniform ? .uniform : .absorb))
        let seeds: [UInt64] = Array(0..<16)
        let templates = seeds.map { _ in [Int?](repeating: nil, count: 12) }
        let made = try [(2, TimeGrid.Kind.linear), (7, .cosine)].map { steps, grid in
            let settings = SamplingSettings(method: kind.name, steps: steps, grid: grid)
            return try sample(network, templates, seeds: seeds, seeds.map { _ in settings })
        }
        let areEqual = made[0].map(\.states) == made[1].map(\.states)
        #expect(areEqual == !kind.usesGrid)
        #expect((made[0][0].networkEvaluations == made[1][0].networkEvaluations) == !kind.usesGrid)
    }

    /// The number of evaluations is what each method states.
    @Test(
        arguments: [
            ("analytic", 9, [:], 10), ("analytic", 9, ["corrector": .number(2)], 28), ("euler", 9, [:], 10),
            ("trapezoidal", 4, [:], 9), ("first-hitting", 1, [:], 12), ("confidence", 100, [:], 12),
            ("margin", 4, [:], 4), ("entropy", 1, ["positions": .number(5)], 3), ("left-to-right", 6, [:], 6),
            ("random", 12, [:], 12), ("entropy-bound", 1, ["gamma": .number(0)], 12),
            ("entropy-bound", 1, ["gamma": .number(1000)], 1),
        ] as [(String, Int, [String: SettingValue], Int)])
    func evaluations(_ name: String, _ steps: Int, _ own: [String: SettingValue], _ most: Int) throws {
        let network = try randomNetwork(smallConfiguration())
        let settings = SamplingSettings(method: name, steps: steps, own: own)
        let found = try sample(network, [[Int?](repeating: nil, count: 12)], seeds: [4], [settings])[0]
        #expect(found.networkEvaluations <= most, "\(found.networkEvaluations)")
        if !["analytic", "euler", "trapezoidal"].contains(name) { #expect(found.networkEvaluations == most) }
    }

    @Test func noEvaluationOnceAllIsSettled() throws {
        let network = try randomNetwork(smallConfiguration())
        let template: [Int?] = [1, 2, 3, nil] + [Int?](repeating: 5, count: 8)
        let settings = [SamplingSettings(steps: 200)]
        let result = try sample(network, [template], seeds: [1], settings)
        #expect(result[0].networkEvaluations < 201)
        for name in SamplingMethods.names {
            let full = try sample(
                network, [template.map { $0 ?? 0 }], seeds: [1], [SamplingSettings(method: name, steps: 5)])
            #expect(full[0].networkEvaluations == 0 && full[0].isFinished, "\(name)")
        }
    }

    /// Probabilities and alternatives are reported for every drawn token.
    @Test(arguments: ModelConfiguration.GraphKind.allCases)
    func changesTellWhatElseThereWas(_ graph: ModelConfiguration.GraphKind) async throws {
        let network = try randomNetwork(smallConfiguration(graph))
        let sampler = try Sampler(network: network)
        for name in Self.names(graph) {
            let settings = SamplingSettings(method: name, steps: 5)
            let template = [Int?](repeating: nil, count: 12)
            let plain = try sampler.sample([.init(template: template, seed: 3, settings: settings)])
            var last: Trajectory?
            for try await now in try sampler.states([
                .init(template: template, seed: 3, settings: settings, alternatives: 2)
            ]) {
                last = now[0]
                for change in now[0].changes where change.state < 11 {
                    let probability = try #require(change.probability, "\(name)")
                    #expect(probability > 0 && probability <= 1 + 1e-6, "\(name): \(probability)")
                    #expect(change.alternatives.count == 2)
                    #expect(change.alternatives[0].probability >= change.alternatives[1].probability)
                    #expect(probability <= change.alternatives[0].probability + 1e-6, "\(name)")
                }
            }
            #expect(last?.states == plain[0].states, "\(name): watching changes nothing")
        }
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

    @Test func invalidRequests() throws {
        let sampler = try Sampler(network: randomNetwork(smallConfiguration()))
        for request in [
            Sampler.Request(template: [], seed: 0, steps: 4), .init(template: [nil], seed: 0, steps: 0),
            .init(template: [11], seed: 0, steps: 4), .init(template: [-1], seed: 0, steps: 4),
        ] {
            let error = #expect(throws: SEDDError.self) { try sampler.states([request]) }
            #expect(error?.kind == .usage)
        }
    }

    /// Invalid settings, and the words of their errors.
    @Test func invalidSettings() throws {
        let absorb = try Sampler(network: randomNetwork(smallConfiguration()))
        let uniform = try Sampler(network: randomNetwork(smallConfiguration(.uniform)))
        let table: [(SamplingSettings, Sampler, String)] = [
            (.init(method: "heun"), absorb, "expected one of analytic, euler"),
            (.init(steps: 0), absorb, "steps is 0"), (.init(filter: .init(topP: 2)), absorb, "top-p is 2"),
            (.init(method: "analytic", own: ["gamma": .number(1)]), absorb, "gamma is a setting of entropy-bound"),
            (.init(method: "analytic", own: ["size": .number(1)]), absorb, "no setting 'size'"),
            (
                .init(method: "entropy-bound", own: ["gamma": .number(-1)]), absorb,
                "gamma is -1; expected a number from 0"
            ),
            (
                .init(method: "random", own: ["positions": .number(1.5)]), absorb,
                "positions is 1.5; expected a whole number"
            ),
            (.init(method: "remask", own: ["strategy": .word("all")]), absorb, "one of cap, rescale, confidence, loop"),
            (.init(method: "remask", own: ["strategy": .word("loop")]), uniform, "expected cap"),
            (.init(method: "confidence"), uniform, "cannot reverse the model's chain, uniform"),
            (.init(grid: .profile), absorb, "sedd profile"),
        ]
        for (settings, sampler, words) in table {
            let error = #expect(throws: SEDDError.self) {
                try sampler.start(.init(template: [nil], seed: 0, settings: settings))
            }
            #expect(error?.kind == .usage && error?.description.contains(words) == true, "\(String(describing: error))")
        }
    }

    @Test func shortTexts() throws {
        #expect(try SamplingSettings("euler") == SamplingSettings(method: "euler"))
        #expect(
            try SamplingSettings("remask:eta=4,strategy=loop,top_p=0.9,grid=cosine")
                == SamplingSettings(
                    method: "remask", grid: .cosine, filter: TokenFilter(topP: 0.9),
                    own: ["eta": .number(4), "strategy": .word("loop")]))
        for bad in ["", "heun", "remask:eta", "remask:gamma=1", "remask:eta=x", "euler:top_k=1.5", "euler:grid=square"]
        {
            let error = #expect(throws: SEDDError.self) { try SamplingSettings(bad) }
            #expect(error?.kind == .usage, "\(bad)")
        }
        for (bad, words) in [
            ("analytic:temperature=abc", "temperature is 'abc'; expected a number"),
            ("euler:top_k=1.5", "top_k is '1.5'; expected a whole number"),
            ("euler:eta=1", "'eta' is not a setting of euler"),
        ] {
            let error = #expect(throws: SEDDError.self) { try SamplingSettings(bad) }
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        }
    }

    /// Settings survive encoding as YAML and JSON, including those declared by methods.
    @Test func settingsAreCodable() throws {
        for settings in [
            SamplingSettings(),
            SamplingSettings(
                method: "remask", steps: 9, grid: .cosine, own: ["strategy": .word("loop"), "eta": .number(2.5)]),
            SamplingSettings(grid: .times([1, 0.5]), filter: TokenFilter(temperature: 0.5, topK: 3, topP: 0.9)),
        ] {
            let data = try JSONEncoder().encode(settings)
            #expect(try JSONDecoder().decode(SamplingSettings.self, from: data) == settings)
            let record = SampleRecord(text: "a", tokens: [1], seed: 3, settings: settings, precision: .float32)
            let line = try JSONEncoder().encode(record)
            #expect(try JSONDecoder().decode(SampleRecord.self, from: line) == record)
        }
        let old = try ConfigurationFile.resolve(yaml: "sampling: {predictor: euler, steps: 5}", source: "old")
        #expect(old.sampling.settings == SamplingSettings(method: "euler", steps: 5))
        let own = try ConfigurationFile.resolve(
            yaml: "sampling: {method: entropy-bound, gamma: 0.5, top_p: 0.9}", overrides: ["sampling.grid=cosine"],
            source: "new")
        #expect(own.sampling.settings.own == ["gamma": .number(0.5)] && own.sampling.settings.grid == .cosine)
        let again = try ConfigurationFile.resolve(yaml: ConfigurationFile.yaml(own), source: "again")
        #expect(again == own)
        for (yaml, words) in [
            ("sampling: {gama: 1}", "sampling.gamma"), ("sampling: {method: heun}", "heun"),
            ("sampling: {gamma: 1}", "gamma is a setting of"), ("sampling: {grid: square}", "square"),
            ("{sampling: {method: confidence}, graph: {type: uniform}}", "cannot reverse"),
        ] {
            let error = #expect(throws: SEDDError.self) { try ConfigurationFile.resolve(yaml: yaml, source: "bad") }
            #expect(error?.description.contains(words) == true, "\(yaml): \(String(describing: error))")
        }
    }
}
