import ArgumentParser
import Files
import Foundation
import Hub
import SEDD
import Torch

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show versions, devices and threads, and how to fix what is missing.",
        discussion: """
            Example:
              sedd doctor
            """)

    func run() throws {
        try StandardOutput.line(Version.text)
        try line("libtorch", "\(Runtime.version), from \(try Runtime.libraryFolder())")
        try line("threads", threadReport())
        let information = try Runtime.parallelInformation()
        try line("vector instructions", information.split(separator: "\n").last.map(String.init) ?? "unknown")
        try line("matrix products", matrixLibrary(information))
        try line(
            "bfloat16",
            Runtime.hasBFloat16Instructions
                ? "AVX512-BF16: sedd train --precision bf16-products"
                : "no AVX512-BF16: training on the CPU is in float32")
        try checkArithmetic()
        let bundled = Installation.bundled.map(\.name).joined(separator: ", ")
        try line(
            "bundled models", Installation.models.map { "\(bundled), in \($0.path)" } ?? "none beside \(executable)")
        let layouts = CheckpointLayout.allCases.map(\.rawValue) + ["gpt2", "nanoGPT"]
        try line("layouts of models", layouts.joined(separator: ", "))
        try line("hub's cache", hubReport())
        try line("memory", "\(ProcessInfo.processInfo.physicalMemory >> 20) MiB")
        try device("cuda", "requires an NVIDIA driver and a CUDA build of libtorch (set LIBTORCH and rebuild)")
        try line("cuda kernels", kernelReport())
        try line(
            "several processes",
            KeyStore.isAvailable
                ? "work together, by c10d (torchrun, srun, mpirun; docs/TRAINING.md)"
                : "not here: this build's libtorch lacks c10d; every process works alone")
    }

    private var executable: String { Installation.executable?.path ?? "the program" }

    private func threadReport() throws -> String {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let quota = ProcessorQuota.processors().map { ", with a quota of \($0)" } ?? ""
        return "\(try EngineOptions.standardThreads()) of \(cores) cores\(quota); set with --threads"
    }

    private func hubReport() -> String {
        do {
            let settings = try HubAccess.hub().settings
            return settings.cache.path + (settings.isOffline ? ", offline" : ", for \(settings.endpoint)")
        } catch { return "\(error)" }
    }

    private func line(_ name: String, _ value: String) throws {
        try StandardOutput.line("  \(name.padding(toLength: 22, withPad: " ", startingAt: 0))\(value)")
    }

    private func matrixLibrary(_ information: String) -> String {
        information.contains("MKL") || information.contains("mkl") ? "MKL" : "as libtorch was built"
    }

    /// A product with a known result, which detects a library that loads but does not work.
    private func checkArithmetic() throws {
        let x = try Tensor.full([64, 64], 0.5)
        let sum = try x.matmul(x).sum().item()
        try line(
            "arithmetic",
            sum == 64 * 64 * 16 ? "works" : "WRONG: a product gave \(sum) instead of 65536; reinstall libtorch")
    }

    /// The status of the CUDA kernels: whether NVRTC is available, and whether it compiles them for the present device.
    private func kernelReport() -> String {
        do {
            let version = try Kernels.compilerVersion()
            let name = "NVRTC \(version.major).\(version.minor)"
            guard let device = try? Device("cuda") else { return "\(name) can compile them" }
            let architecture = try device.computeCapability()
            let files = try Kernels.compile(architecture: architecture)
            return "\(files.compiled) files compiled now and \(files.kept) before, by \(name) for sm_\(architecture)"
        } catch {
            return "\(error)"
        }
    }

    private func device(_ name: String, _ remedy: String) throws {
        let isHere = (try? Device(name)) != nil
        try line(name, isHere ? "works; use --device \(name)" : "not available: it \(remedy)")
    }
}
