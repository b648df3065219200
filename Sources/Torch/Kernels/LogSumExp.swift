import CTorch

extension Kernels {
    /// log sum e^x over the first `columns` entries of each row of `x` [M, V], float32; float64 [M].
    ///
    /// On the CPU each result is a bit-exact function of its row alone, summed in double precision; elsewhere the sum
    /// is in single precision.
    /// - Throws: `TorchError` of kind `value` if the rows have fewer entries.
    public static func logSumExp(_ x: Tensor, columns: Int) throws(TorchError) -> Tensor {
        try Tensor.make("log sum exp") { ct_log_sum_exp(x.handle, Int64(columns), $0) }
    }
}
