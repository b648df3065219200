import FakeHub
import Files
import Foundation
import Testing

@testable import Hub

/// Downloads that are interrupted, damaged or left unfinished.
@Suite(.timeLimit(.minutes(10)))
struct InterruptionTests {
    private static let blob = "\(Sample.folder)/blobs/\(Sample.weights.etag)"

    private func weights(_ trial: Trial) throws -> Data { try Data(contentsOf: trial.folder.path(Self.blob)) }

    /// Downloads resume where the connection broke.
    @Test func resumed() async throws {
        let trial = try Trial()
        var faults = FakeHub.Faults()
        (faults.cutAfter, faults.cuts) = (70_000, 3)
        trial.fake.set(faults)
        _ = try await trial.run { try await $0.snapshot(Sample.model()) }
        #expect(try weights(trial) == Data(Sample.weights.content))
        let ranges = trial.fake.requests.filter(\.isOfStore).map(\.range)
        // Data in transit when a connection breaks may be lost.
        let starts = ranges.map { Int($0?.dropFirst(6).dropLast() ?? "0") ?? -1 }
        #expect(ranges.count == 4, "\(ranges)")
        #expect(starts.first == 0 && starts == starts.sorted() && starts.allSatisfy { $0 <= 210_000 }, "\(ranges)")
        #expect(starts.contains { $0 > 0 }, "\(ranges)")
    }

    /// A server that ignores the range and sends the whole file.
    @Test func rangeIgnored() async throws {
        let trial = try Trial()
        var faults = FakeHub.Faults()
        (faults.cutAfter, faults.cuts, faults.ignoresRange) = (70_000, 1, true)
        trial.fake.set(faults)
        _ = try await trial.run { try await $0.snapshot(Sample.model()) }
        #expect(try weights(trial) == Data(Sample.weights.content))
    }

    /// A server that sends another range than requested.
    @Test func rangeShifted() async throws {
        let trial = try Trial()
        var faults = FakeHub.Faults()
        (faults.cutAfter, faults.cuts, faults.shiftsRange) = (70_000, 1, true)
        trial.fake.set(faults)
        _ = try await trial.run { try await $0.snapshot(Sample.model()) }
        #expect(try weights(trial) == Data(Sample.weights.content))
        #expect(trial.fake.requests.filter(\.isOfStore).last?.range == nil, "begun anew")
    }

    /// Addresses at the store expire.
    @Test func addressExpired() async throws {
        let trial = try Trial()
        var faults = FakeHub.Faults()
        faults.expired = 2
        trial.fake.set(faults)
        _ = try await trial.run { try await $0.snapshot(Sample.model()) }
        #expect(try weights(trial) == Data(Sample.weights.content))
        faults.expired = .max
        trial.fake.set(faults)
        let other = Trial(sharing: trial, in: try TemporaryFolder())
        let error = try await other.run(change: { $0.retries = 1 }) { hub in
            await fileError { try await hub.snapshot(Sample.model()) }
        }
        #expect(error?.kind == .missingInput, "refused for good: \(String(describing: error))")
    }

    /// The partial file of a killed process is resumed, or discarded if its content is wrong.
    @Test(
        arguments: [
            ("its beginning", Array(Sample.weights.content.prefix(123_456)), ["bytes=123456-"]),
            ("all of it", Sample.weights.content, []),
            ("something else", Sample.bytes(1000, seed: 9), ["bytes=1000-", nil]),
            ("more than all", Sample.weights.content + [0], [nil]),
        ] as [(String, [UInt8], [String?])])
    func left(name: String, bytes: [UInt8], ranges: [String?]) async throws {
        let trial = try Trial()
        let partial = trial.folder.path(Self.blob + ".incomplete")
        try FileSystem.createFolder(partial.deletingLastPathComponent())
        try Data(bytes).write(to: partial)
        _ = try await trial.run { try await $0.snapshot(Sample.model()) }
        #expect(try weights(trial) == Data(Sample.weights.content), "\(name)")
        #expect(trial.fake.requests.filter(\.isOfStore).map(\.range) == ranges, "\(name)")
        #expect(!FileSystem.exists(partial))
    }

    /// Content that does not match the hub's announcement is never stored under its name, large or small.
    @Test(arguments: ["model.safetensors", "config.json"])
    func damaged(name: String) async throws {
        let trial = try Trial()
        if name == "model.safetensors" { _ = try await trial.run { try await $0.snapshot(Sample.model(), .tokenizer) } }
        var faults = FakeHub.Faults()
        faults.corrupts = true
        trial.fake.set(faults)
        let error = try await trial.run { hub in await fileError { try await hub.snapshot(Sample.model()) } }
        #expect(error?.kind == .invalidData)
        #expect(error?.description.contains("checksum") == true, "\(String(describing: error))")
        #expect(!trial.folder.exists("\(Sample.folder)/snapshots/\(Sample.commit)/\(name)"))
        #expect(!trial.folder.exists(Self.blob))
        trial.fake.set(FakeHub.Faults())
        _ = try await trial.run { try await $0.snapshot(Sample.model()) }
        #expect(try weights(trial) == Data(Sample.weights.content), "the next time")
    }

    @Test func unavailableForAWhile() async throws {
        let trial = try Trial()
        var faults = FakeHub.Faults()
        faults.unavailable = 2
        trial.fake.set(faults)
        #expect(try await trial.run { try await $0.snapshot(Sample.model()) }.commit == Sample.commit)
    }

    /// A wait that the hub asks for is announced.
    @Test func askedToWait() async throws {
        let trial = try Trial()
        var faults = FakeHub.Faults()
        (faults.unavailable, faults.retryAfter) = (1, "1")
        trial.fake.set(faults)
        let start = ContinuousClock.now
        _ = try await trial.run { try await $0.snapshot(Sample.model()) }
        #expect(ContinuousClock.now - start >= .seconds(1))
        #expect(trial.lines.all == ["org/model: the hub sent status 503; next attempt in 1 s"])
    }

    /// A failed download leaves the revision unchanged.
    @Test func cutForGood() async throws {
        let trial = try Trial()
        _ = try await trial.run { try await $0.snapshot(Sample.model()) }
        var next = Sample.repository(commit: Sample.later)
        next.files["model.safetensors"] = .init(Sample.bytes(200_000, seed: 5), isLarge: true)
        trial.fake["org/model"] = next
        var faults = FakeHub.Faults()
        (faults.cutAfter, faults.cuts) = (0, .max)
        trial.fake.set(faults)
        try await trial.run(change: { $0.retries = 1 }) { hub in
            let snapshot = try await hub.snapshot(Sample.model())
            #expect(snapshot.commit == Sample.commit, "what is whole in the cache")
        }
        #expect(try trial.folder.text("\(Sample.folder)/refs/main") == Sample.commit)
        #expect(trial.lines.all.count == 1, "\(trial.lines.all)")
    }
}
