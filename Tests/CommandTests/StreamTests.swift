import Foundation
import Testing

/// Standard streams that are closed, full or gone, and signals at any moment.
@Suite struct StreamTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: ["2>&-", "2>/dev/full", "2>&- <&-"])
    func trainingGoesOnWithoutStderr(redirection: String) async throws {
        let arguments = try TinyRun.arguments(in: folder, set: ["training.n_iters=3", "optim.warmup=3"])
        let result = try await SeddProcess.run(arguments, shell: "exec \"$@\" \(redirection)")
        #expect(result.code == 0)
        #expect(try TinyRun.losses(folder.url.appendingPathComponent("run")).count == 3)
    }

    @Test(
        arguments: [
            (["tokenize", "--tokenizer", "words"], "2>&-", 64),
            (["tokenize", "--tokenizer", "words"], "2>/dev/full", 64),
            (["tokenize", "--tokenizer", "byte"], "< /", 66), (["tokenize", "--tokenizer", "byte"], "<&-", 66),
            (["doctor"], ">/dev/full", 73), (["--help"], ">/dev/full", 73), (["train", "--help"], ">&-", 73),
            (["--version"], ">/dev/full", 73),
            (
                [
                    "bench", "--tokens", "5", "--hidden", "8", "--heads", "2", "--blocks", "1",
                    "--length", "8", "--batch", "1", "--repeats", "1",
                ], ">/dev/full", 73
            ),
        ] as [([String], String, Int32)])
    func others(arguments: [String], redirection: String, code: Int32) async throws {
        let result = try await SeddProcess.run(arguments, shell: "exec \"$@\" \(redirection)")
        #expect(result.code == code, "\(arguments) \(redirection): \(result.errors)")
    }

    /// The reader of its output has gone; the run continues.
    @Test func aReaderThatLeaves() async throws {
        let arguments = try TinyRun.arguments(in: folder)
        let result = try await SeddProcess.run(arguments, shell: "\"$@\" 2>&1 | head -n 1; true")
        #expect(result.code == 0)
        let run = folder.url.appendingPathComponent("run")
        #expect(exists(run.appendingPathComponent("checkpoints/step-120/manifest.json")))
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func signalsBeforeThereIsAnythingToSave(signal: Int32) async throws {
        let process = try SeddProcess(
            ["bench", "--repeats", "100000", "--json"], environment: ["OMP_NUM_THREADS": "1"])
        try await Task.sleep(for: .milliseconds(600))
        process.send(signal)
        let result = try await process.wait()
        #expect(result.code == 130)
        #expect(result.lastError == "sedd: interrupted")
    }

    @Test(arguments: [
        ["sample", "--model", "x", "--length", "9000000000000000000"],
        ["sample", "--model", "x", "--count", "2147483648"],
        ["bench", "--tokens", "9223372036854775807"], ["bench", "--batch", "4611686018427387904"],
        ["bench", "--repeats", "9223372036854775807"], ["bench", "--threads", "2147483648"],
        ["judge", "--model", "x", "--samples", "x", "--seeds", "9223372036854775807"],
    ])
    func countsBeyondAllMachines(arguments: [String]) async throws {
        let result = try await SeddProcess.run(arguments)
        expectFailure(result, 64, [arguments.dropLast().last ?? ""], "\(arguments)")
    }

    @Test(arguments: [
        "training.eval_times=9223372036854775807", "sampling.count=9223372036854775807",
        "training.batch_size=9223372036854775807", "training.batch_size=1000000000", "optim.grad_clip=-1",
        "optim.weight_decay=-1", "optim.weight_decay=.nan", "training.n_iters=9223372036854775807",
        "model.hidden_size=1048576", "training.eval_times=1000000000", "sampling.count=1000000000",
        "optim.eps=1.0e-320",
    ])
    func keysBeyondAllMachines(override: String) async throws {
        let result = try await SeddProcess.run(TinyRun.arguments(in: folder, set: [override]))
        #expect(result.code == 64 || result.code == 70, "\(override): \(result.code) \(result.errors)")
        #expect(result.lastError.hasPrefix("sedd: "), "\(result.errors)")
    }
}
