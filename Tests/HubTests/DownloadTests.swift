import FakeHub
import Files
import Foundation
import Testing

@testable import Hub

/// The files that are fetched, their layout in the cache, and the requests to the hub.
@Suite(.timeLimit(.minutes(10)))
struct DownloadTests {
    @Test func layout() async throws {
        let trial = try Trial()
        let snapshot = try await trial.run { try await $0.snapshot(Sample.model()) }
        let (folder, files) = (trial.folder, Sample.repository().files)
        let place = "\(Sample.folder)/snapshots/\(Sample.commit)"
        #expect(snapshot.folder.path == folder.path(place).path)
        #expect(snapshot.commit == Sample.commit)
        for name in ["config.json", "model.safetensors", "tokenizer.json"] {
            let file = try #require(files[name])
            #expect(try folder.link("\(place)/\(name)") == "../../blobs/\(file.etag)", "\(name)")
            #expect(try Data(contentsOf: folder.path("\(place)/\(name)")) == Data(file.content), "\(name)")
            #expect(folder.exists(".locks/\(Sample.folder)/\(file.etag).lock"), "\(name)")
        }
        for name in ["pytorch_model.bin", "README.md"] {
            #expect(!folder.exists("\(place)/\(name)"), "\(name) is not needed")
        }
        #expect(try folder.text("\(Sample.folder)/refs/main") == Sample.commit)
        #expect(folder.exists("\(Sample.folder)/.no_exist/\(Sample.commit)/vocab.json"))
        #expect(try folder.text("CACHEDIR.TAG").hasPrefix("Signature: 8a477f597d28d172789f06886806bc55\n"))
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path("\(Sample.folder)/blobs").path)
        #expect(!left.contains { $0.hasSuffix(".incomplete") })
    }

    /// The second time a single request is sent and nothing is written, so the cache may be read-only.
    @Test func again() async throws {
        let trial = try Trial()
        try await trial.run { hub in
            _ = try await hub.snapshot(Sample.model())
            let before = try trial.folder.state()
            trial.fake.forgetRequests()
            _ = try await hub.snapshot(Sample.model())
            #expect(trial.fake.requests.map(\.path) == ["/org/model/resolve/main/config.json"])
            #expect(try trial.folder.state() == before)
            trial.fake.forgetRequests()
            _ = try await hub.snapshot(Sample.model(Sample.commit))
            #expect(trial.fake.requests.isEmpty, "a commit stays what it is")
        }
    }

    @Test func offline() async throws {
        let trial = try Trial()
        _ = try await trial.run { try await $0.snapshot(Sample.model()) }
        trial.fake.forgetRequests()
        try await trial.run(change: { $0.isOffline = true }) { hub in
            let snapshot = try await hub.snapshot(Sample.model())
            #expect(snapshot.commit == Sample.commit)
            let error = await fileError { try await hub.snapshot(HubModel("org/other")) }
            #expect(error?.kind == .missingInput)
            #expect(error?.description.contains("HF_HUB_OFFLINE") == true, "\(String(describing: error))")
            #expect(trial.fake.requests.isEmpty)
        }
    }

    /// If the hub cannot be reached, the cached copy is used, with a note.
    @Test func unreachable() async throws {
        let trial = try Trial()
        _ = try await trial.run { try await $0.snapshot(Sample.model()) }
        let hub = trial.hub("http://127.0.0.1:1")
        #expect(try await hub.snapshot(Sample.model()).commit == Sample.commit)
        #expect(trial.lines.all.contains { $0.contains("127.0.0.1:1") && $0.contains("cache") }, "\(trial.lines.all)")
        let error = await fileError { try await hub.snapshot(HubModel("org/other")) }
        #expect(error?.kind == .missingInput)
        #expect(error?.description.contains("refused") == true, "\(String(describing: error))")
    }

    /// A branch that has moved gives a new snapshot; unchanged files are not fetched again.
    @Test func moved() async throws {
        let trial = try Trial()
        try await trial.run { hub in
            _ = try await hub.snapshot(Sample.model())
            var next = Sample.repository(commit: Sample.later)
            next.files["config.json"] = .init("{\"tokens\": 258}")
            trial.fake["org/model"] = next
            trial.fake.forgetRequests()
            let snapshot = try await hub.snapshot(Sample.model())
            #expect(snapshot.commit == Sample.later)
            #expect(try trial.folder.text("\(Sample.folder)/refs/main") == Sample.later)
            let fetched = trial.fake.requests.filter { $0.method == "GET" }.map(\.path)
            #expect(fetched == ["/org/model/resolve/\(Sample.later)/config.json"])
        }
    }

    @Test func shards() async throws {
        let index = "{\"weight_map\": {\"a\": \"parts/one.safetensors\", \"b\": \"two.safetensors\"}}"
        let parts = ["parts/one.safetensors", "two.safetensors"]
        var repository = Sample.repository()
        repository.files["model.safetensors"] = nil
        repository.files["model.safetensors.index.json"] = .init(index)
        for (seed, name) in parts.enumerated() {
            repository.files[name] = .init(Sample.bytes(5000, seed: UInt64(seed)), isLarge: true)
        }
        let trial = try Trial(repository)
        let snapshot = try await trial.run { try await $0.snapshot(Sample.model()) }
        for name in parts {
            #expect(
                try Data(contentsOf: snapshot.folder.appending(path: name))
                    == Data(repository.files[name]?.content ?? []))
        }
        let link = try trial.folder.link("\(Sample.folder)/snapshots/\(Sample.commit)/parts/one.safetensors")
        #expect(link == "../../../blobs/\(repository.files[parts[0]]?.etag ?? "")")
    }

    /// A model written by sedd: the files that its manifest lists, except the optimizer's.
    @Test func manifest() async throws {
        var repository = Sample.repository()
        repository.files["manifest.json"] = .init(
            "{\"files\": {\"config.json\": {}, \"extra.txt\": {}, \"training/weights.safetensors\": {}}}")
        repository.files["extra.txt"] = .init("more")
        repository.files["training/weights.safetensors"] = .init(Sample.bytes(10), isLarge: true)
        let trial = try Trial(repository)
        let snapshot = try await trial.run { try await $0.snapshot(Sample.model()) }
        #expect(FileSystem.exists(snapshot.folder.appending(path: "extra.txt")))
        #expect(!FileSystem.exists(snapshot.folder.appending(path: "training")))
    }

    @Test func copies() async throws {
        let trial = try Trial()
        let snapshot = try await trial.run(change: { $0.copiesFiles = true }) { try await $0.snapshot(Sample.model()) }
        let file = snapshot.folder.appending(path: "model.safetensors")
        #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: file.path)) == nil)
        #expect(try Data(contentsOf: file) == Data(Sample.weights.content))
        #expect(!trial.folder.exists("\(Sample.folder)/blobs/\(Sample.weights.etag)"), "moved, not doubled")
    }

    @Test func tokenizer() async throws {
        let files: [String: FakeHub.File] = [
            "vocab.json": .init("{}"), "merges.txt": .init("#"), "config.json": .init("{}"),
        ]
        let trial = try Trial(.init(commit: Sample.commit, files: files))
        let snapshot = try await trial.run { try await $0.snapshot(Sample.model(), .tokenizer) }
        let names = try FileManager.default.contentsOfDirectory(atPath: snapshot.folder.path).sorted()
        #expect(names == ["merges.txt", "vocab.json"])
        let error = try await trial.run { hub in await fileError { try await hub.snapshot(Sample.model()) } }
        #expect(error?.description.contains("no weights") == true, "\(String(describing: error))")
    }

    /// Several processes request the same model: one fetches it, the others wait.
    @Test func atOnce() async throws {
        let trial = try Trial()
        try await trial.run { hub in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { _ = try await hub.snapshot(Sample.model()) } }
                try await group.waitForAll()
            }
        }
        let fetched = trial.fake.requests.filter { $0.method == "GET" && $0.isOfStore }
        #expect(fetched.count == 1, "\(fetched)")
    }

    @Test func cachedModels() async throws {
        let trial = try Trial()
        _ = try await trial.run { try await $0.snapshot(Sample.model()) }
        let found = await trial.hub("http://127.0.0.1:1").cachedModels()
        #expect(found.map(\.repository) == ["org/model"])
        #expect(found.first?.bytes == 300_000 + 15 + 2)
    }
}
