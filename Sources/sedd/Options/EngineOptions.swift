import ArgumentParser
import Torch

/// Where and with how many threads to compute.
struct EngineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where to compute: cpu, cuda, cuda:N or mps.", valueName: "device"))
    var device = "cpu"

    @Option(help: ArgumentHelp("Threads on the CPU; all cores unless given.", valueName: "count"))
    var threads: Int?

    /// Sets the threads and opens the device.
    func open() throws -> Device {
        if let threads {
            guard threads >= 1 else { throw ValidationError("--threads is \(threads); expected 1 or more") }
            try Runtime.setThreads(threads)
        }
        return try Device(device)
    }
}
