import CTorch

extension Kernels {
    /// The version of NVRTC, which compiles the CUDA kernels.
    ///
    /// - Throws: ``TorchError`` if NVRTC is not found.
    public static func compilerVersion() throws(TorchError) -> (major: Int, minor: Int) {
        var major: Int32 = 0
        var minor: Int32 = 0
        try check(ct_kernel_compiler(&major, &minor), "kernel compiler")
        return (Int(major), Int(minor))
    }

    /// Compiles all kernels for one architecture into the cache on disk; requires no GPU.
    ///
    /// - Parameter architecture: for instance 90 for compute capability 9.0.
    /// - Returns: number of kernel files compiled now, and found in the cache.
    @discardableResult
    public static func compile(architecture: Int) throws(TorchError) -> (compiled: Int, kept: Int) {
        var compiled: Int32 = 0
        var kept: Int32 = 0
        try check(ct_compile_kernels(Int32(clamping: architecture), &compiled, &kept), "compile kernels")
        return (Int(compiled), Int(kept))
    }
}
