import FakeHub
import Files
import Foundation
import Testing

@testable import Hub

/// Repositories that are renamed, restricted or absent, and which hosts receive the token.
@Suite(.timeLimit(.minutes(10)))
struct RefusalTests {
    /// A renamed repository redirects to its new address; it is cached under the requested name.
    @Test func renamed() async throws {
        let trial = try Trial()
        trial.fake.rename("old/name", to: "org/model")
        let snapshot = try await trial.run(change: { $0.token = "secret" }) {
            try await $0.snapshot(HubModel("old/name"))
        }
        #expect(snapshot.folder.path.contains("models--old--name"))
        #expect(
            try Data(contentsOf: snapshot.folder.appending(path: "model.safetensors")) == Data(Sample.weights.content))
        #expect(trial.fake.requests.filter { !$0.isOfStore }.allSatisfy { $0.authorization == "Bearer secret" })
    }

    @Test func tokenStaysOnTheHub() async throws {
        var repository = Sample.repository()
        repository.token = "secret"
        let trial = try Trial(repository)
        _ = try await trial.run(change: { $0.token = "secret" }) { try await $0.snapshot(Sample.model()) }
        let (store, hub) = (trial.fake.requests.filter(\.isOfStore), trial.fake.requests.filter { !$0.isOfStore })
        #expect(store.count == 1)
        #expect(store.allSatisfy { $0.authorization == nil })
        #expect(hub.allSatisfy { $0.authorization == "Bearer secret" })
        #expect(trial.fake.requests.allSatisfy { $0.encoding == "identity" })
    }

    /// The token is not sent to the targets of a mirror's redirects.
    @Test func mirror() async throws {
        let trial = try Trial()
        try await trial.fake.run { endpoint in
            let mirror = FakeHub()
            var faults = FakeHub.Faults()
            faults.mirrors = endpoint
            mirror.set(faults)
            _ = try await mirror.run { address in
                try await trial.hub(address) { $0.token = "secret" }.snapshot(Sample.model())
            }
            #expect(mirror.requests.allSatisfy { $0.authorization == "Bearer secret" })
        }
        #expect(!trial.fake.requests.isEmpty)
        #expect(trial.fake.requests.allSatisfy { $0.authorization == nil })
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let name: String
        let model: String
        var token: String?
        let words: [String]
        var testDescription: String { name }
    }

    @Test(arguments: [
        Refusal(name: "gated", model: "org/gated", words: ["access has to be asked for", "/org/gated", "HF_TOKEN"]),
        Refusal(name: "private", model: "org/private", words: ["no such repository", "private", "HF_TOKEN"]),
        Refusal(
            name: "a wrong token", model: "org/private", token: "wrong",
            words: ["no such repository", "check that your token"]),
        Refusal(name: "no such repository", model: "org/none", words: ["no such repository"]),
        Refusal(name: "no such revision", model: "org/model@v9", words: ["no revision 'v9'"]),
    ])
    func refused(refusal: Refusal) async throws {
        let trial = try Trial()
        trial.fake["org/gated"] = FakeHub.Repository(commit: Sample.commit, files: [:], isGated: true)
        trial.fake["org/private"] = FakeHub.Repository(commit: Sample.commit, files: [:], token: "right")
        let error = try await trial.run(change: { $0.token = refusal.token }) { hub in
            await fileError { try await hub.snapshot(HubModel(refusal.model)) }
        }
        #expect(error?.kind == .missingInput)
        for word in refusal.words {
            #expect(error?.description.contains(word) == true, "\(word): \(String(describing: error))")
        }
    }

    /// Names that would lead out of the cache, from any source.
    @Test(arguments: ["../../../evil", "/etc/evil", "a/../../evil", "..", "a//b", "./a", "a\\..\\b"])
    func escape(name: String) async throws {
        let quoted = name.replacing("\\", with: "\\\\")
        for (file, text) in [
            ("model.safetensors.index.json", "{\"weight_map\": {\"a\": \"\(quoted)\"}}"),
            ("manifest.json", "{\"files\": {\"\(quoted)\": {}}}"),
        ] {
            var repository = Sample.repository()
            if file.hasPrefix("model") { repository.files["model.safetensors"] = nil }
            repository.files[file] = .init(text)
            let trial = try Trial(repository)
            let error = try await trial.run { hub in await fileError { try await hub.snapshot(Sample.model()) } }
            #expect(error?.kind == .invalidData, "\(file): \(String(describing: error))")
            #expect(!trial.fake.requests.contains { $0.path.contains("evil") })
        }
    }

    @Test(arguments: [
        ("etag", "../../evil"), ("etag", ".."), ("commit", "../../evil"), ("commit", "main"),
        ("size", "-5"), ("size", "18446744073709551616"), ("size", "many"),
    ])
    func hostileHeaders(header: String, value: String) async throws {
        let trial = try Trial()
        var faults = FakeHub.Faults()
        switch header {
        case "etag": faults.etag = value
        case "commit": faults.commit = value
        default: faults.size = value
        }
        trial.fake.set(faults)
        let error = try await trial.run { hub in await fileError { try await hub.snapshot(Sample.model()) } }
        #expect(error?.kind == .invalidData, "\(String(describing: error))")
        // Small files, whose sizes are right, may have been fetched before.
        if header != "size" { #expect(try trial.folder.state().isEmpty, "nothing was written") }
    }
}
