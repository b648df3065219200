import ArgumentParser
import Foundation
import Torch

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what this installation has: versions, devices, threads; and what to do about what is missing.",
        discussion: """
            Example:
              sedd doctor
            """)

    func run() throws {
        print(Version.text)
        line("libtorch", "\(Runtime.version), from \(try Runtime.libraryFolder())")
        line(
            "threads",
            "\(try Runtime.threads()) of \(ProcessInfo.processInfo.activeProcessorCount) cores; set with --threads")
        let information = try Runtime.parallelInformation()
        line("vector instructions", information.split(separator: "\n").last.map(String.init) ?? "unknown")
        line("matrix products", matrixLibrary(information))
        try checkArithmetic()
        line("memory", "\(ProcessInfo.processInfo.physicalMemory >> 20) MiB")
        device("cuda", "needs an NVIDIA driver and a CUDA build of libtorch (set LIBTORCH and build again)")
        kernels()
        device("mps", "is on Apple silicon only")
    }

    private func line(_ name: String, _ value: String) {
        print("  \(name.padding(toLength: 22, withPad: " ", startingAt: 0))\(value)")
    }

    private func matrixLibrary(_ information: String) -> String {
        information.contains("MKL") || information.contains("mkl") ? "MKL" : "as libtorch was built"
    }

    /// One product whose result is known: a library that was found but does not work is told here.
    private func checkArithmetic() throws {
        let x = try Tensor.full([64, 64], 0.5)
        let sum = try x.matmul(x).sum().item()
        line(
            "arithmetic",
            sum == 64 * 64 * 16 ? "works" : "WRONG: a product gave \(sum) instead of 65536; reinstall libtorch")
    }

    /// The kernels for CUDA devices: whether NVRTC is here, and whether it compiles them for the device that is.
    private func kernels() {
        do {
            let version = try Kernels.compilerVersion()
            let name = "NVRTC \(version.major).\(version.minor)"
            guard let device = try? Device("cuda") else { return line("cuda kernels", "\(name) can compile them") }
            let architecture = try device.computeCapability()
            let files = try Kernels.compile(architecture: architecture)
            line(
                "cuda kernels",
                "\(files.compiled) files compiled now and \(files.kept) before, by \(name) for sm_\(architecture)")
        } catch {
            line("cuda kernels", "\(error)")
        }
    }

    private func device(_ name: String, _ remedy: String) {
        do {
            _ = try Device(name)
            line(name, "works; use --device \(name)")
        } catch {
            line(name, "not here: it \(remedy)")
        }
    }
}
