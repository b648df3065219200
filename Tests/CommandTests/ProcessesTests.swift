import Foundation
import Testing

/// Two processes that work as one. Many processes, networks that fail and launchers: `make test-distributed`.
@Suite(.serialized) struct ProcessesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Starts processes that find each other on this machine.
    ///
    /// - Parameter arguments: of each process, by its number.
    private func start(
        _ count: Int, environment: [String: String] = [:], _ arguments: (Int) -> [String]
    ) throws -> [SeddProcess] {
        let port = try Self.freePort()
        return try (0..<count).map { rank in
            let own = [
                "RANK": "\(rank)", "WORLD_SIZE": "\(count)", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
            ]
            return try SeddProcess(
                arguments(rank), environment: own.merging(environment) { $1 }, limit: .seconds(300))
        }
    }

    private func finish(_ processes: [SeddProcess]) async throws -> [SeddProcess.Result] {
        var results: [SeddProcess.Result] = []
        for process in processes { results.append(try await process.wait()) }
        return results
    }

    /// A port that is currently free.
    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        try #require(status == 0, "a free port")
        return UInt16(bigEndian: address.sin_port)
    }

    struct Variant: Sendable, CustomTestStringConvertible {
        let name: String
        let set: [String]
        var testDescription: String { name }
    }

    static let variants: [Variant] = [
        Variant(name: "dropout", set: []),
        Variant(name: "accumulation", set: ["training.batch_size=6", "training.accum=3"]),
        // Muon divides gradients by their norm, which amplifies rounding errors: a small rate keeps the runs together.
        Variant(
            name: "Muon and pairs",
            set: ["optim.type=muon", "optim.muon_lr=0.001", "training.complementary=true"]),
        Variant(name: "fitted times", set: ["training.time_density.type=fitted", "training.time_density.refit=5"]),
        Variant(name: "from left to right", set: ["model=autoregressive"]),
    ]

    @Test(arguments: variants) func twoAreOne(_ variant: Variant) async throws {
        let set =
            variant.set
            + ["training.n_iters=20", "training.eval_freq=10", "training.snapshot_freq=10", "training.sample_freq=0"]
        func arguments(_ output: String, inOrder: Bool) throws -> [String] {
            try TinyRun.arguments(in: folder, output: output, set: set) + (inOrder ? ["--sums-in-order"] : [])
        }
        for inOrder in [true, false] {
            let (one, two) = ("one-\(inOrder)", "two-\(inOrder)")
            let alone = try await SeddProcess.run(arguments(one, inOrder: inOrder))
            #expect(alone.code == 0, "\(alone.errors)")
            let line = try arguments(two, inOrder: inOrder)
            for result in try await finish(try start(2) { _ in line }) { #expect(result.code == 0, "\(result.errors)") }
            let (a, b) = (folder.url.appendingPathComponent(one), folder.url.appendingPathComponent(two))
            let (before, after) = (try TinyRun.losses(a), try TinyRun.losses(b))
            #expect(before.count == 20, "losses by step")
            for (step, loss) in before {
                let other = try #require(after[step], "step \(step)")
                #expect(abs(other - loss) <= (inOrder ? 0 : 1e-5 * abs(loss)), "step \(step): \(loss), \(other)")
            }
            guard inOrder else { continue }
            let files = try contents(a.appendingPathComponent("checkpoints/step-20/training"))
            #expect(files.contains("weights.safetensors"))
            for file in ["model.safetensors"] + files.map({ "training/\($0)" }) {
                let place = "checkpoints/step-20/\(file)"
                let same =
                    try Data(contentsOf: a.appendingPathComponent(place))
                    == Data(contentsOf: b.appendingPathComponent(place))
                #expect(same, "\(file), to the byte")
            }
        }
    }

    @Test func evaluationsAndSamplesAreThoseOfOne() async throws {
        let model = try await TinyRun.model().path
        let data = try folder.file("story.txt", TinyRun.text).path
        let lines: [[String]] = [
            [
                "evaluate", "--model", model, "--data", data, "--last", "0.05", "--time-samples", "2", "--batch-tokens",
                "64",
            ],
            [
                "evaluate", "--model", model, "--data", data, "--blocks", "5", "--order", "confidence",
                "--batch-tokens", "32",
            ],
            ["sample", "--model", model, "--count", "5", "--batch", "2", "--steps", "4", "--seed", "3"],
        ]
        for line in lines {
            let alone = try await SeddProcess.run(line)
            #expect(alone.code == 0, "\(alone.errors)")
            let results = try await finish(try start(2) { _ in line })
            #expect(results.map(\.code) == [0, 0], "\(results.map(\.errors))")
            #expect(results[0].text == alone.text, "\(line[0])")
            #expect(results[1].text.isEmpty, "the second process writes nothing")
        }
    }

    @Test func whatIsNotAlikeIsRefused() async throws {
        let base = try TinyRun.arguments(in: folder)
        let results = try await finish(
            try start(2) { base + ["--set", "optim.lr=0.00\($0 + 1)"] })
        #expect(results.map(\.code) == [64, 64], "\(results.map(\.errors))")
        #expect(results[1].lastError.contains("optim.lr is 0.002 here and 0.001 in rank 0"), "\(results[1].errors)")
        #expect(results[0].lastError.contains("rank 1"), "\(results[0].errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("run")), "no run is begun")
    }

    @Test func moreProcessesThanSequencesAreRefused() async throws {
        let line = try TinyRun.arguments(in: folder, set: ["training.batch_size=1"])
        let results = try await finish(try start(2) { _ in line })
        #expect(results.map(\.code) == [64, 64], "\(results.map(\.errors))")
        #expect(results[0].lastError.contains("training.batch_size"), "\(results[0].errors)")
    }

    /// Starts two processes that would train for hours, and waits until they have taken some steps.
    private func training() async throws -> [SeddProcess] {
        let line =
            try TinyRun.arguments(in: folder, set: ["training.n_iters=1000000", "training.sample_freq=0"])
            + ["--timeout", "10", "--resume"]
        let processes = try start(2) { _ in line }
        let file = folder.url.appendingPathComponent("run/metrics.jsonl")
        try await processes[0].wait(
            until: { (try? String(contentsOf: file, encoding: .utf8))?.contains("{\"step\":43,") ?? false },
            "training reaches step 43")
        return processes
    }

    @Test(arguments: [0, 1]) func theOtherEndsWithOneThatIsKilled(_ killed: Int) async throws {
        let processes = try await training()
        processes[killed].send(SIGKILL)
        let start = ContinuousClock.now
        let result = try await processes[1 - killed].wait()
        #expect(ContinuousClock.now - start < .seconds(20), "within the timeout, and what a busy machine takes")
        expectFailure(
            result, 75, ["rank \(1 - killed) of 2, step", "start the same command again"], "peer", progress: true)
        let names = try contents(folder.url.appendingPathComponent("run/checkpoints"))
        #expect(!names.contains { $0.hasSuffix(".partial") }, "\(names)")
        // One process continues where two have stopped.
        let target = try #require(names.compactMap { $0.hasPrefix("step-") ? Int($0.dropFirst(5)) : nil }.max()) + 5
        let alone = try await SeddProcess.run(
            ["train", "--resume", "--output", folder.path("run"), "--set", "training.n_iters=\(target)"])
        #expect(alone.code == 0, "\(alone.errors)")
        #expect(alone.errors.contains("resumed after step"), "\(alone.errors)")
    }

    @Test func allStopWhereOneIsAsked() async throws {
        let processes = try await training()
        processes[1].send(SIGTERM)
        let start = ContinuousClock.now
        let results = try await finish(processes)
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(results.map(\.code) == [130, 130], "\(results.map(\.errors))")
        #expect(results[0].errors.contains("saved"), "\(results[0].errors)")
    }

    @Test func whoDoesNotComeIsNamed() async throws {
        let line = try TinyRun.arguments(in: folder) + ["--start-timeout", "2"]
        let result = try await SeddProcess.run(
            line,
            environment: [
                "RANK": "0", "WORLD_SIZE": "3", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(try Self.freePort())",
            ])
        expectFailure(result, 75, ["rank 0 of 3", "ranks 1 and 2 did not come", "within 2 s"], "start")
    }
}
