import Foundation
import Testing

/// On a full disk: exit code 73, one line, and earlier files intact.
///
/// The disk is a file system of 1 MiB in memory, which only root on Linux may mount.
@Suite(.serialized, .enabled(if: SmallDisk.isPossible, "skipped: needs Linux, root and the right to mount tmpfs"))
struct FullDiskTests {
    @Test func trainingStopsAndCheckpointsStayWhole() async throws {
        let (folder, disk) = (try TemporaryFolder(), try SmallDisk())
        // Two checkpoints of this model do not fit.
        let set = ["training.snapshot_freq=5", "training.eval_freq=1000", "training.keep=5"]
        let arguments = try Array(TinyRun.arguments(in: folder, set: set).dropLast()) + [disk.url.path + "/run"]
        let result = try await SeddProcess.run(arguments)
        #expect(result.code == 73, "\(result.errors)")
        #expect(result.lastError.hasPrefix("sedd: \(disk.url.path)/run/"), "\(result.errors)")
        #expect(result.lastError.contains("space"), "\(result.errors)")
        let run = disk.url.appendingPathComponent("run")
        let saved = try contents(run.appendingPathComponent("checkpoints"))
        #expect(saved == ["last", "step-5"], "one whole checkpoint and nothing partial: \(saved)")
        #expect(try TinyRun.losses(run).count >= 5, "the metrics are whole lines")
        let model = run.appendingPathComponent("checkpoints/last").path
        let sampled = try await SeddProcess.run(["sample", "--model", model, "--steps", "2", "--seed", "1"])
        #expect(sampled.code == 0, "\(sampled.errors)")

        // On a larger disk it resumes.
        let copy = try folder.copy(run, as: "copy")
        let resumed = try await SeddProcess.run(
            ["train", "--resume", "--output", copy.path, "--set", "training.n_iters=12"])
        #expect(resumed.code == 0, "\(resumed.errors)")
    }

    @Test(arguments: ["run", "out.pth", "out.safetensors", "scores.safetensors"])
    func nothingFits(output: String) async throws {
        let (folder, disk) = (try TemporaryFolder(), try SmallDisk())
        try disk.fill(leaving: 8 << 10)
        let before = try contents(disk.url)
        let target = disk.url.appendingPathComponent(output)
        let model = try await TinyRun.model().path
        let arguments: [String]
        switch output {
        case "run": arguments = try Array(TinyRun.arguments(in: folder).dropLast()) + [target.path]
        case "scores.safetensors":
            let states = try folder.file(
                "in.safetensors",
                PlainSafetensors.data([
                    PlainSafetensors.floats("t", [0.5], [1]),
                    PlainSafetensors.integers("xt", [Int64](repeating: 256, count: 64), [1, 64]),
                ])
            ).path
            arguments = ["inspect", "--model", model, "--input", states, "--output", target.path]
        default: arguments = ["convert", "--from", model, "--to", target.path]
        }
        let result = try await SeddProcess.run(arguments)
        #expect(result.code == 73, "\(output): \(result.errors)")
        #expect(result.lastError.hasPrefix("sedd: "), "\(output): \(result.errors)")
        #expect(result.lastError.contains(disk.url.path), "\(output): \(result.errors)")
        if output.contains(".") { #expect(try contents(disk.url) == before, "\(output): nothing partial is left") }
    }
}

/// A file system of 1 MiB, gone with the value.
final class SmallDisk {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("small-disk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        guard Self.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", url.path) else {
            try? FileManager.default.removeItem(at: url)
            throw CocoaError(.fileWriteNoPermission)
        }
    }

    deinit {
        guard Self.run("umount", "-l", url.path) else { return }
        try? FileManager.default.removeItem(at: url)
    }

    /// Writes a file that takes all but `rest` bytes.
    func fill(leaving rest: Int) throws {
        try Data(count: (1 << 20) - rest).write(to: url.appendingPathComponent("filler"))
    }

    static let isPossible: Bool = {
        #if os(Linux)
            return getuid() == 0 && (try? SmallDisk()) != nil
        #else
            return false
        #endif
    }()

    private static func run(_ arguments: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
