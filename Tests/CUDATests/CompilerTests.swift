import Files
import Foundation
import Testing

@testable import Torch

/// The kernels compiled as for a GPU, by NVRTC, which requires no GPU. Skipped if NVRTC is not installed; `make
/// test-cuda` installs it.
@Suite(.serialized, .emulation)
struct CompilerTests {
    static let isHere = (try? Kernels.compilerVersion()) != nil

    @Test(.enabled(if: isHere, "NVRTC is not installed: make test-cuda"), arguments: [80, 90])
    func everyKernelCompiles(architecture: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kernel-tests-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let before = ProcessInfo.processInfo.environment["SEDD_CACHE"]
        setenv("SEDD_CACHE", folder.path, 1)
        defer { if let before { setenv("SEDD_CACHE", before, 1) } else { unsetenv("SEDD_CACHE") } }

        let start = ContinuousClock.now
        let first = try Kernels.compile(architecture: architecture)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        print("\(first.compiled) files of kernels compiled for sm_\(architecture) in \(seconds) s")
        #expect(first == (14, 0), "ten files, four of them for two types")
        let files = try FileManager.default.contentsOfDirectory(
            at: folder.appending(path: "kernels"), includingPropertiesForKeys: nil)
        #expect(files.count == 14, "nothing is left beside the finished ones")
        for file in files {
            let code = try Data(contentsOf: file)
            #expect(code.starts(with: [0x7F, 0x45, 0x4C, 0x46]), "\(file.lastPathComponent) is machine code (ELF)")
            #expect(file.lastPathComponent.contains("-sm_\(architecture)-"))
        }
        #expect(try Kernels.compile(architecture: architecture) == (0, 14), "what is there is not compiled again")
    }

    @Test(.enabled(if: isHere, "NVRTC is not installed: make test-cuda"))
    func anArchitectureThatIsNone() {
        let error = #expect(throws: TorchError.self) { try Kernels.compile(architecture: 7) }
        #expect(error?.description.contains("sm_7") == true, "\(String(describing: error))")
    }

    @Test(.enabled(if: !isHere, "NVRTC is installed"))
    func whatIsMissingIsTold() {
        let error = #expect(throws: TorchError.self) { try Kernels.compilerVersion() }
        #expect(error?.description.contains("cuda-toolkit[nvrtc]") == true, "\(String(describing: error))")
    }
}

/// Symbols looked up by name in libtorch's CUDA library: there is no header to compile against, so a renamed symbol
/// would otherwise only be found on a GPU. Half a gigabyte is mapped, which would disturb tests that measure this
/// process's memory.
@Suite(.emulation)
struct SymbolTests {
    static let library = (try? Runtime.libraryFolder()).map { URL(filePath: $0).appending(path: "libtorch_cuda.so") }
    static let isHere = library.map { FileManager.default.fileExists(atPath: $0.path) } == true

    @Test(.enabled(if: isHere, "this libtorch has no CUDA part"))
    func libtorchHasThem() throws {
        let file = try Data(contentsOf: #require(Self.library), options: .alwaysMapped)
        #expect(CUDAGraph.symbols.count == 7)
        for name in CUDAGraph.symbols {
            // A name in a symbol table is delimited by NULs.
            #expect(file.range(of: Data([0] + name.utf8 + [0])) != nil, "\(name)")
        }
    }
}
