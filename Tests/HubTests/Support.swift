import FakeHub
import Files
import Foundation
import Synchronization

@testable import Hub

/// A temporary folder for one test, removed with the value.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "hub-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> URL { url.appending(path: name) }

    func text(_ name: String) throws -> String { try String(contentsOf: path(name), encoding: .utf8) }

    /// The target of a link, as stored.
    func link(_ name: String) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: path(name).path)
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name).path) }

    /// Every file below the folder, with attributes that reveal a change.
    func state() throws -> [String: String] {
        var found: [String: String] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: url.path) ?? .init() {
            var information = stat()
            lstat(path(name).path, &information)
            found[name] =
                "\(information.st_ino) \(information.st_size) \(information.st_mtim.tv_sec) \(information.st_mtim.tv_nsec)"
        }
        return found
    }
}

/// Collects progress lines.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

enum Sample {
    static let commit = String(repeating: "c", count: 40)
    static let later = String(repeating: "d", count: 40)

    /// Bytes without a repeating pattern, which could hide a wrong offset.
    static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    static let weights = FakeHub.File(bytes(300_000), isLarge: true)

    /// A model as published: small files on the hub, the weights in a store, and files that are not needed.
    static func repository(commit: String = commit) -> FakeHub.Repository {
        FakeHub.Repository(
            commit: commit,
            files: [
                "config.json": .init("{\"tokens\": 257}"), "model.safetensors": weights, "tokenizer.json": .init("{}"),
                "pytorch_model.bin": .init(bytes(1000), isLarge: true), "README.md": .init("a model"),
            ])
    }

    static func model(_ revision: String = "main") throws -> HubModel { try HubModel("org/model@\(revision)") }

    /// The folder of `org/model` in a cache.
    static let folder = "models--org--model"
}

/// A hub with `org/model`, and a cache of its own.
struct Trial: Sendable {
    let fake: FakeHub
    let folder: TemporaryFolder
    let lines = Lines()

    init(_ repository: FakeHub.Repository = Sample.repository()) throws {
        fake = FakeHub(["org/model": repository])
        folder = try TemporaryFolder()
    }

    /// The same hub with another cache.
    init(sharing trial: Trial, in folder: TemporaryFolder) { (fake, self.folder) = (trial.fake, folder) }

    /// Runs `body` with a client of the hub.
    func run<Value: Sendable>(
        change: @escaping @Sendable (inout HubSettings) -> Void = { _ in },
        _ body: @escaping @Sendable (Hub) async throws -> Value
    ) async throws -> Value {
        try await fake.run { endpoint in try await body(hub(endpoint, change: change)) }
    }

    func hub(_ endpoint: String, change: (inout HubSettings) -> Void = { _ in }) -> Hub {
        var settings = HubSettings(cache: folder.url)
        settings.endpoint = endpoint
        change(&settings)
        let lines = lines
        return Hub(settings, note: { lines.add($0) })
    }
}

/// The `FileError` that `work` throws.
func fileError(_ work: () async throws -> some Any) async -> FileError? {
    do {
        _ = try await work()
        return nil
    } catch { return error as? FileError }
}
