import Testing

@testable import SEDD
@testable import SEDDServer

struct MetricsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Changes of each step: position and new state.
        let steps: [[(Int, Int)]]
        var mask: Int? = 9
        let revised: Int
        /// The step after which a token has settled; nil for none.
        let firstSettled: Int?
    }

    @Test(arguments: [
        Case(
            testDescription: "each position once", steps: [[], [(0, 1)], [(1, 2), (2, 3)]], revised: 0, firstSettled: 1),
        Case(
            testDescription: "taken back and written again", steps: [[(0, 1)], [(0, 9)], [(0, 2)]], revised: 1,
            firstSettled: 0),
        Case(testDescription: "replaced at once", steps: [[(0, 1)], [(0, 2)], [(0, 3)]], revised: 2, firstSettled: 0),
        Case(testDescription: "a mask that becomes a mask", steps: [[(0, 9)]], revised: 0, firstSettled: nil),
        Case(
            testDescription: "no mask: the first change settles noise", steps: [[(0, 9)], [(0, 1), (1, 1)]], mask: nil,
            revised: 1, firstSettled: 0),
        Case(testDescription: "nothing changes", steps: [[], []], revised: 0, firstSettled: nil),
    ]) func revisions(_ given: Case) {
        let begin = ContinuousClock.now
        var record = WritingRecord(submitted: begin)
        var first: Int?
        for (number, changes) in given.steps.enumerated() {
            let changed = changes.map { Change(position: $0.0, state: $0.1, probability: nil, alternatives: []) }
            let passed = record.note(changed, mask: given.mask, at: begin + .seconds(number + 1))
            #expect(passed == .seconds(1), "from step to step")
            if record.hasSettled, first == nil { first = number }
        }
        #expect(record.revised == given.revised && first == given.firstSettled)
    }

    /// The value of a line of Prometheus' text form.
    private func value(_ text: String, _ name: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix(name + " ") }.flatMap { Double($0.split(separator: " ")[1]) }
    }

    /// The metrics after two requests; other tests may run concurrently, so each figure is a lower bound.
    @Test func whatOperatorsAskFor() async throws {
        try await withServer(try absorbingModel()) { client in
            let before = try await client.get("/metrics").body
            for method in ["analytic", "remask"] {
                let answer = try await client.post(
                    "/v1/infill",
                    "{\"template\": \"[[16]]\", \"steps\": 12, \"sampler\": \"\(method)\", \"stream\": false}")
                #expect(answer.status == 200)
            }
            let after = try await client.get("/metrics").body
            func grown(_ name: String) throws -> Double {
                try #require(value(after, name), "\(name)") - (value(before, name) ?? 0)
            }
            #expect(try grown("sedd_time_to_first_settled_token_seconds_count") >= 2)
            #expect(try grown("sedd_step_milliseconds_count") >= 26)
            #expect(try grown("sedd_step_milliseconds_sum") > 0)
            #expect(try grown("sedd_evaluations_per_token_count") >= 2)
            // 16 tokens in 13 evaluations or fewer each.
            #expect(try grown("sedd_evaluations_per_token_sum") > 0)
            #expect(try grown("sedd_revisions_per_token_count") >= 2)
            #expect(value(after, "sedd_tokens_revised_total") != nil)
            #expect(after.contains("sedd_revisions_per_token_bucket{le=\"0.05\"}"))
            #expect(after.contains("sedd_step_milliseconds_bucket{le=\"20.0\"}"))
        }
    }

    /// Remasking revises, analytic steps of an absorbing chain never do.
    @Test(arguments: [("analytic", false), ("remask", true)]) func whoRevises(_ method: String, _ revises: Bool) throws
    {
        let model = try absorbingModel()
        var record = WritingRecord(submitted: .now)
        var states = [
            try model.sampler.start(
                .init(
                    template: [Int?](repeating: nil, count: 24), seed: 5,
                    settings: SamplingSettings(method: method, steps: 24)))
        ]
        while !states[0].isFinished {
            try model.sampler.advance(&states)
            _ = record.note(states[0].changes, mask: model.graph.mask)
        }
        #expect((record.revised > 0) == revises && record.hasSettled)
    }
}
