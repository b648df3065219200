public import ArgumentParser
public import SEDD
import Torch

/// Device, precision and number of threads.
struct EngineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Device: cpu (default), cuda, cuda:N or mps.", valueName: "device"))
    var device: String?

    @Option(
        help: ArgumentHelp(
            "Precision of a diffusion model's trunk: bf16 (CUDA only, and the default there) or float32.",
            valueName: "type"))
    var precision: Precision?

    @Option(help: ArgumentHelp("CPU threads (default: all cores).", valueName: "count"))
    var threads: Int?

    /// More than any machine has; the thread library terminates the process if it cannot start them.
    private static let mostThreads = 1024

    /// Sets the threads and opens the device, which must support the precision.
    ///
    /// - Parameter last: the device that a run used last; the default if none is given.
    func open(before last: String? = nil) throws -> Device {
        if let threads {
            guard (1...Self.mostThreads).contains(threads) else {
                throw ValidationError("--threads is \(threads); expected 1 to \(Self.mostThreads)")
            }
            try Runtime.setThreads(threads)
        }
        let opened = try Device(device ?? last ?? "cpu")
        _ = try Precision.resolved(precision, on: opened)
        return opened
    }
}

extension Precision: ExpressibleByArgument {}
