public import ArgumentParser
import Files
import Foundation
public import SEDD
import Torch

/// Device, precision and number of threads.
struct EngineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Device: cpu (default), cuda or cuda:N.", valueName: "device"))
    var device: String?

    @Option(
        help: ArgumentHelp(
            "Precision of a diffusion model's trunk: float32, bf16 (CUDA only, and the default there) or bf16-products (only for training, on processors with AVX512-BF16).",
            valueName: "type"))
    var precision: Precision?

    @Option(
        help: ArgumentHelp("CPU threads (default: all cores, or the quota of the control group).", valueName: "count"))
    var threads: Int?

    /// More than any machine has; the thread library terminates the process if it cannot start them.
    private static let mostThreads = 1024

    /// Threads of each of several processes that share a machine, unless `--threads` is given: those of
    /// `OMP_NUM_THREADS`, or else a share of the cores or of the control group's quota.
    static func standardThreads(processes: Int = 1) throws -> Int {
        let threads = try Runtime.threads()
        guard ProcessInfo.processInfo.environment["OMP_NUM_THREADS"] == nil else { return threads }
        return max(1, min(threads, ProcessorQuota.processors() ?? threads) / processes)
    }

    /// Sets the threads and opens the device, which must support the precision.
    ///
    /// Several processes on one machine share its cores unless a thread count is set, and use one CUDA device each.
    ///
    /// - Parameters:
    ///   - last: the device that a run used last; the default if none is given.
    ///   - team: the processes of the job.
    ///   - use: what the device is used for.
    func open(
        before last: String? = nil, team: Team = .alone, for use: Precision.Use = .inference
    ) throws -> Device {
        if let threads {
            guard (1...Self.mostThreads).contains(threads) else {
                throw ValidationError("--threads is \(threads); expected 1 to \(Self.mostThreads)")
            }
            try Runtime.setThreads(threads)
        } else {
            let standard = try Self.standardThreads(processes: team.launch?.localSize ?? 1)
            if standard != (try Runtime.threads()) { try Runtime.setThreads(standard) }
        }
        let opened = try Device(team.deviceName(device ?? last ?? "cpu", isNamed: device != nil))
        guard opened.kind != .mps else {
            throw SEDDError(.usage, "--device mps: scores are computed in float64, which it lacks; use --device cpu")
        }
        _ = try Precision.resolved(precision, on: opened, for: use)
        return opened
    }
}

extension Team {
    /// The device of this process; each of several processes uses the CUDA device of its local rank.
    ///
    /// - Parameter isNamed: whether the device was given as an option, rather than taken from the run.
    fileprivate func deviceName(_ name: String, isNamed: Bool) throws -> String {
        guard let launch, name == "cuda" || name.hasPrefix("cuda:") else { return name }
        if size == 1 { return name }
        guard name == "cuda" || !isNamed else {
            throw SEDDError(
                .usage,
                "--device \(name) is one device for \(size) processes; give --device cuda: each takes the one of its LOCAL_RANK"
            )
        }
        // A launcher may restrict each process to its own device.
        let isOnly = try Device.count(of: Device("cuda").kind) == 1
        return isOnly ? "cuda:0" : "cuda:\(launch.localRank)"
    }
}

extension Precision: ExpressibleByArgument {}
extension GradientSums.Precision: ExpressibleByArgument {}
