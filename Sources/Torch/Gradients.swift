import CTorch

/// Automatic differentiation.
///
/// Operators are recorded only if one of their operands requires a gradient: weights loaded for sampling do not.
extension Tensor {
    /// Enables or disables recording of operators on this tensor.
    public func requireGradient(_ required: Bool = true) throws(TorchError) {
        try check(ct_require_gradient(handle, required), "require gradient")
    }

    /// The same elements, detached from the recorded computation.
    public func detached() throws(TorchError) -> Tensor {
        try Tensor.make("detach") { ct_detach(handle, $0) }
    }

    /// The accumulated gradient of this tensor; nil if no backward pass has reached it.
    public var gradient: Tensor? {
        get throws(TorchError) {
            var out = CTTensor()
            var defined = false
            try check(ct_gradient(handle, &out, &defined), "gradient")
            return defined ? Tensor(owning: out) : nil
        }
    }

    /// Makes backward passes accumulate into `storage`, which has this tensor's shape.
    public func accumulateGradient(into storage: Tensor) throws(TorchError) {
        try check(ct_set_gradient(handle, storage.handle), "set gradient")
    }

    /// Runs the backward pass from this tensor, whose own gradient is `gradient`.
    public func backward(_ gradient: Tensor) throws(TorchError) {
        try check(ct_backward(handle, gradient.handle), "backward")
    }
}
