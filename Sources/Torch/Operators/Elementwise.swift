import CTorch

/// Elementwise operators, with libtorch's broadcasting.
extension Tensor {
    /// Elementwise sum, broadcast.
    public static func + (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make("add") { ct_add(a.handle, b.handle, $0) }
    }

    /// Elementwise difference, broadcast.
    public static func - (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make("subtract") { ct_subtract(a.handle, b.handle, $0) }
    }

    /// Elementwise product, broadcast.
    public static func * (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make("multiply") { ct_multiply(a.handle, b.handle, $0) }
    }

    /// Elementwise quotient, broadcast.
    public static func / (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make("divide") { ct_divide(a.handle, b.handle, $0) }
    }

    /// Adds a number to every element.
    public static func + (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try make("add") { ct_add_scalar(a.handle, b, $0) }
    }

    /// Subtracts a number from every element.
    public static func - (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try make("subtract") { ct_add_scalar(a.handle, -b, $0) }
    }

    /// Multiplies every element by a number.
    public static func * (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try make("multiply") { ct_multiply_scalar(a.handle, b, $0) }
    }

    /// Negates every element.
    public static prefix func - (a: Tensor) throws(TorchError) -> Tensor {
        try make("negate") { ct_negate(a.handle, $0) }
    }

    /// e^x.
    public func exp() throws(TorchError) -> Tensor { try Tensor.make("exp") { ct_exp(handle, $0) } }

    /// e^x - 1, accurate for small x.
    public func expm1() throws(TorchError) -> Tensor { try Tensor.make("expm1") { ct_expm1(handle, $0) } }

    /// The natural logarithm.
    public func log() throws(TorchError) -> Tensor { try Tensor.make("log") { ct_log(handle, $0) } }

    /// log(1 + x), accurate for small x.
    public func log1p() throws(TorchError) -> Tensor { try Tensor.make("log1p") { ct_log1p(handle, $0) } }

    /// The square root.
    public func squareRoot() throws(TorchError) -> Tensor { try Tensor.make("sqrt") { ct_sqrt(handle, $0) } }

    /// The cosine, of radians.
    public func cos() throws(TorchError) -> Tensor { try Tensor.make("cos") { ct_cos(handle, $0) } }

    /// The sine, of radians.
    public func sin() throws(TorchError) -> Tensor { try Tensor.make("sin") { ct_sin(handle, $0) } }

    /// The absolute value.
    public func magnitude() throws(TorchError) -> Tensor { try Tensor.make("abs") { ct_abs(handle, $0) } }

    /// x sigmoid(x).
    public func silu() throws(TorchError) -> Tensor { try Tensor.make("silu") { ct_silu(handle, $0) } }

    /// x / (1 + e^-x) of rows [R, width], where each row of the result is a bit-exact function of that row alone,
    /// whatever the number of rows and threads. This holds on the CPU for contiguous float32 if no gradient is
    /// recorded; otherwise it is ``silu()``.
    public func rowSilu() throws(TorchError) -> Tensor { try Tensor.make("row silu") { ct_row_silu(handle, $0) } }

    /// The Gaussian error linear unit, tanh approximation.
    public func gelu() throws(TorchError) -> Tensor { try Tensor.make("gelu") { ct_gelu_tanh(handle, $0) } }

    /// The exact Gaussian error linear unit: x Phi(x), where Phi is the normal distribution function.
    public func exactGelu() throws(TorchError) -> Tensor { try Tensor.make("exact gelu") { ct_gelu(handle, $0) } }

    /// max(x, minimum).
    public func clamped(minimum: Double) throws(TorchError) -> Tensor {
        try Tensor.make("clamp") { ct_clamp_min(handle, minimum, $0) }
    }

    /// Elementwise equality with `other`; bool.
    public func equals(_ other: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make("equal") { ct_equal(handle, other.handle, $0) }
    }

    /// Elementwise equality with `value`; bool.
    public func equals(_ value: Double) throws(TorchError) -> Tensor {
        try Tensor.make("equal") { ct_equal_scalar(handle, value, $0) }
    }

    /// Whether elements are neither infinite nor NaN; bool.
    public func isFinite() throws(TorchError) -> Tensor { try Tensor.make("is finite") { ct_is_finite(handle, $0) } }

    /// `self` (bool) ? a : b.
    public func choose(_ a: Tensor, _ b: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make("where") { ct_where(handle, a.handle, b.handle, $0) }
    }
}
