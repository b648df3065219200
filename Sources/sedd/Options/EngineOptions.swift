public import ArgumentParser
public import SEDD
import Torch

/// Where and with how many threads to compute.
struct EngineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where to compute: cpu (unless given), cuda, cuda:N or mps.", valueName: "device"))
    var device: String?

    @Option(
        help: ArgumentHelp(
            "What a diffusion model's trunk computes in: bf16 (CUDA only, and standard there) or float32.",
            valueName: "type"))
    var precision: Precision?

    @Option(help: ArgumentHelp("Threads on the CPU; all cores unless given.", valueName: "count"))
    var threads: Int?

    /// Beyond what any one machine has; the engine's thread library ends the process where it cannot start them.
    private static let mostThreads = 1024

    /// Sets the threads and opens the device, which must compute in the precision.
    ///
    /// - Parameter last: the device that a run last used, which is taken where none is named.
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
