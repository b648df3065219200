import CTorch
import Foundation
import Synchronization

/// Process-wide settings of libtorch: version, threads, and libraries that are loaded only on demand.
public enum Runtime {
    /// The version of libtorch at compile time, for instance `2.11.0`.
    public static var version: String { String(cString: ct_version()) }

    /// Number of threads of CPU operators.
    public static func threads() throws(TorchError) -> Int {
        var count: Int32 = 0
        try check(ct_threads(&count), "threads")
        return Int(count)
    }

    /// Sets the number of threads of CPU operators.
    public static func setThreads(_ count: Int) throws(TorchError) {
        try check(ct_set_threads(Int32(clamping: count)), "set threads")
    }

    /// libtorch's report on threads, libraries and vector instructions; several lines.
    public static func parallelInformation() throws(TorchError) -> String {
        var buffer = [CChar](repeating: 0, count: 8192)
        try check(ct_parallel_information(&buffer, buffer.count), "parallel information")
        return text(buffer)
    }

    /// Whether the processor multiplies bfloat16 numbers by instructions of its own (AVX512-BF16); without them,
    /// bfloat16 products are slower than float32 products.
    public static var hasBFloat16Instructions: Bool { ct_has_bfloat16_instructions() }

    /// The folder from which libtorch was loaded.
    public static func libraryFolder() throws(TorchError) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        try check(ct_library_path(&buffer, buffer.count), "library folder")
        return URL(filePath: text(buffer)).deletingLastPathComponent().standardized.path
    }

    private static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let cudaState = Mutex<Result<Void, TorchError>?>(nil)

    /// Loads libtorch's CUDA library, once.
    ///
    /// It is not linked, because machines without a GPU do not need it.
    /// - Throws: ``TorchError`` of kind `device` with the loader's reason.
    static func openCUDA() throws(TorchError) {
        let result = cudaState.withLock { state -> Result<Void, TorchError> in
            if let state { return state }
            let made = Result { () throws(TorchError) in try loadCUDA() }
            state = made
            return made
        }
        try result.get()
    }

    private static func loadCUDA() throws(TorchError) {
        let path = try libraryFolder() + "/libtorch_cuda.so"
        var opened = false
        try check(ct_load_cuda(path, &opened), "load CUDA")
        guard opened else {
            let reason = String(cString: ct_last_error())
            throw TorchError(
                .device, "CUDA cannot be used: \(reason); install a CUDA build of libtorch, or use --device cpu")
        }
    }
}
