import Foundation
import Testing

@testable import SEDD
@testable import SEDDServer

/// The run that a server keeps for newcomers.
@Suite(.timeLimit(.minutes(10)))
struct DemonstrationTests {
    /// All who ask, at once or later, get one and the same run.
    @Test func oneRunForAll() async throws {
        try await withServer(try absorbingModel()) { client in
            let bodies = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<4 { group.addTask { try await client.get("/v1/demonstration").body } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let later = try await client.get("/v1/demonstration")
            #expect(later.status == 200 && Set(bodies + [later.body]).count == 1)
            #expect(later.events.first?.name == "start" && later.events.last?.name == "done")
            let steps = SamplingFields.defaults.steps + 1
            #expect(later.events.map(\.name) == ["start"] + Array(repeating: "step", count: steps) + ["done"])
            let start = try #require(try later.objects("start").first)
            #expect(start["length"] as? Int == 24, "a model without a card writes freely, over its own length")
            let step = try #require(try later.objects("step").first { !(($0["changes"] as? [Any])?.isEmpty ?? true) })
            let change = try #require((step["changes"] as? [[String: Any]])?.first)
            #expect((change["alternatives"] as? [Any])?.count == Demonstration.alternatives)
        }
    }

    /// It is the first example of the card, by the card's settings.
    @Test func theCardsExample() async throws {
        let card = ModelCard(
            sampling: SamplingSettings(method: "euler", steps: 5, filter: .init(temperature: 0.5)),
            examples: [.init(name: "Fill", template: "ab[[4]]cd", seed: 9), .init(name: "Other", template: "[[*]]")])
        let model = try PieceModels.model(
            tokens: 257, [.init(id: 256, content: "<|endoftext|>", special: true)], card: card)
        try await withServer(model) { client in
            let kept = try await client.get("/v1/demonstration")
            let start = try #require(try kept.objects("start").first)
            #expect(start["seed"] as? Int == 9 && start["sampler"] as? String == "euler" && start["steps"] as? Int == 5)
            #expect(start["end_of_text"] as? Int == 256)
            let done = try #require(try kept.objects("done").first)
            let own = try await client.post(
                "/v1/infill",
                "{\"template\": \"ab[[4]]cd\", \"seed\": 9, \"sampler\": \"euler\", \"steps\": 5, \"temperature\": 0.5, \"stream\": false}"
            ).object()
            #expect(done["tokens"] as? [Int] == own["tokens"] as? [Int], "what is kept is what a request gets")
            let listed = try await client.get("/v1/models/pieces").object()
            let told = try #require(listed["card"] as? [String: Any])
            #expect((told["examples"] as? [[String: Any]])?.map { $0["name"] as? String } == ["Fill", "Other"])
        }
    }

    /// What a card says beside its model is found wrong when the server starts, not by its first reader.
    @Test(arguments: [
        (ModelCard(sampling: .init(grid: .profile)), "sampling: "),
        (
            ModelCard(examples: [.init(name: "a", template: "b"), .init(name: "c", template: "too long", length: 3)]),
            "examples[1]: "
        ),
        (ModelCard(examples: [.init(name: "a", template: "b[[end]]")]), "no end of text"),
    ]) func aCardOfAnotherModel(_ card: ModelCard, _ words: String) throws {
        let error = try #require(throws: SEDDError.self) {
            _ = try PieceModels.model(tokens: 257, [.init(id: 256, content: "<|pad|>", special: true)], card: card)
        }
        #expect(error.description.contains(words) && error.description.contains("model_card.json"), "\(error)")
    }

    /// A run that breaks off is told so, and not kept.
    @Test func aRunThatFails() async throws {
        try await withServer(change: { $0.limits.deadline = .milliseconds(1) }) { client in
            for _ in 0..<2 {
                let answer = try await client.get("/v1/demonstration")
                #expect(answer.status == 200 && answer.events.last?.name == "error", "\(answer.body.suffix(200))")
                #expect(answer.body.contains("deadline"))
            }
        }
    }

    @Test func keysHoldForIt() async throws {
        try await withServer(try absorbingModel(), change: { $0.keys = APIKeys(["secret"]) }) { client in
            let answer = try await client.get("/v1/demonstration")
            #expect(answer.status == 401)
        }
    }

    /// A text that a fixed end of text ends is told as stopped, and what stands behind the end is not in it.
    @Test(arguments: [("ab[[end]][[3]]", "stop", "ab"), ("ab[[end]]", "stop", "ab"), ("[[end]]ab", "length", "ab")])
    func reasons(_ template: String, _ reason: String, _ text: String) async throws {
        let model = try PieceModels.model(tokens: 257, [.init(id: 256, content: "<|endoftext|>", special: true)])
        try await withServer(model) { client in
            let answer = try await client.post(
                "/v1/infill",
                "{\"template\": \"\(template)\", \"length\": \(template.hasSuffix("]") ? 6 : 3), \"stream\": false}")
            let done = try answer.object()
            #expect(done["finish_reason"] as? String == reason && done["text"] as? String == text, "\(answer.body)")
        }
    }

    /// What the page says of a model, all of it from here.
    @Test func facts() async throws {
        let model = try Bundled.model.get()
        try await withServer { client in
            let told = try await client.get("/v1/models/gutenberg").object()
            #expect(told["parameters"] as? Int == model.network.weights.layout.parameters)
            let tokenizer = try #require(told["tokenizer"] as? [String: Any])
            #expect(tokenizer["kind"] as? String == "byte" && tokenizer["tokens"] as? Int == 256)
            #expect(tokenizer["characters_per_token"] as? Double == 1 && tokenizer["end_of_text"] == nil)
            let filters = try #require(told["filters"] as? [[String: Any]])
            #expect(filters.map { $0["name"] as? String } == TokenFilter.settings.map(\.name))
            for each in filters + (told["grids"] as? [[String: Any]] ?? [])
                + (told["methods"] as? [[String: Any]] ?? [])
            {
                let line = each["help"] as? String ?? each["summary"] as? String ?? ""
                #expect(line.count > 20 && !line.contains("\n"), "\(each)")
            }
        }
    }
}
