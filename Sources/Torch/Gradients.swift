import CTorch

/// Recording and running backwards.
///
/// Operators are recorded where one of their parameters asks for a gradient, and nowhere else: weights that were loaded
/// for sampling ask for none.
extension Tensor {
    /// Asks that operators on this tensor be recorded.
    public func requireGradient(_ required: Bool = true) throws(TorchError) {
        try check(ct_require_gradient(handle, required), "require gradient")
    }

    /// The same elements, outside any recorded computation.
    public func detached() throws(TorchError) -> Tensor {
        try Tensor.make("detach") { ct_detach(handle, $0) }
    }

    /// What backward passes have added up for this tensor, or nil where none has reached it.
    public var gradient: Tensor? {
        get throws(TorchError) {
            var out = CTTensor()
            var defined = false
            try check(ct_gradient(handle, &out, &defined), "gradient")
            return defined ? Tensor(owning: out) : nil
        }
    }

    /// Makes backward passes add into `storage`, which has this tensor's shape.
    public func accumulateGradient(into storage: Tensor) throws(TorchError) {
        try check(ct_set_gradient(handle, storage.handle), "set gradient")
    }

    /// Runs the recorded computation backwards from this tensor, whose own gradient is `gradient`.
    public func backward(_ gradient: Tensor) throws(TorchError) {
        try check(ct_backward(handle, gradient.handle), "backward")
    }
}
