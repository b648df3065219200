public import ArgumentParser
public import SEDD
import Torch

/// Where and with how many threads to compute.
struct EngineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where to compute: cpu, cuda, cuda:N or mps.", valueName: "device"))
    var device = "cpu"

    @Option(
        help: ArgumentHelp(
            "What a diffusion model's trunk computes in: bf16 (CUDA only, and standard there) or float32.",
            valueName: "type"))
    var precision: Precision?

    @Option(help: ArgumentHelp("Threads on the CPU; all cores unless given.", valueName: "count"))
    var threads: Int?

    /// Sets the threads and opens the device, which must compute in the precision.
    func open() throws -> Device {
        if let threads {
            guard threads >= 1 else { throw ValidationError("--threads is \(threads); expected 1 or more") }
            try Runtime.setThreads(threads)
        }
        let opened = try Device(device)
        _ = try Precision.resolved(precision, on: opened)
        return opened
    }
}

extension Precision: ExpressibleByArgument {}
