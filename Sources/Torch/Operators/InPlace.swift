import CTorch

/// In-place operators, excluded from autograd.
extension Tensor {
    /// Overwrites the elements with those of `source`, converted and broadcast.
    public func copyInPlace(_ source: Tensor) throws(TorchError) {
        try check(ct_copy_into(handle, source.handle), "copy")
    }

    /// Sets every element to zero.
    public func zeroInPlace() throws(TorchError) {
        try check(ct_zero_into(handle), "zero")
    }

    /// self += scale * other.
    public func addInPlace(_ other: Tensor, scale: Double = 1) throws(TorchError) {
        try check(ct_add_into(handle, other.handle, scale), "add in place")
    }

    /// self *= factor.
    public func multiplyInPlace(_ factor: Double) throws(TorchError) {
        try check(ct_multiply_into(handle, factor), "multiply in place")
    }

    /// self += weight * (other - self).
    public func lerpInPlace(_ other: Tensor, weight: Double) throws(TorchError) {
        try check(ct_lerp_into(handle, other.handle, weight), "lerp")
    }

    /// self [M, N] += aᵀ b for a [R, M], b [R, N]; on the CPU, a product of bfloat16 factors is rounded to bfloat16 before
    /// it is added.
    public func addTransposedProductInPlace(_ a: Tensor, _ b: Tensor) throws(TorchError) {
        try check(ct_add_transposed_product_into(handle, a.handle, b.handle), "add product")
    }
}
