import CTorch

/// Operators that work element by element, with the engine's broadcasting.
extension Tensor {
    /// The sum, broadcast.
    public static func + (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make("add") { ct_add(a.handle, b.handle, $0) }
    }

    /// The difference, broadcast.
    public static func - (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make("subtract") { ct_subtract(a.handle, b.handle, $0) }
    }

    /// The product of elements, broadcast.
    public static func * (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make("multiply") { ct_multiply(a.handle, b.handle, $0) }
    }

    /// The quotient of elements, broadcast.
    public static func / (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make("divide") { ct_divide(a.handle, b.handle, $0) }
    }

    /// A number added to every element.
    public static func + (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try make("add") { ct_add_scalar(a.handle, b, $0) }
    }

    /// A number taken from every element.
    public static func - (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try make("subtract") { ct_add_scalar(a.handle, -b, $0) }
    }

    /// Every element times a number.
    public static func * (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try make("multiply") { ct_multiply_scalar(a.handle, b, $0) }
    }

    /// Every element negated.
    public static prefix func - (a: Tensor) throws(TorchError) -> Tensor {
        try make("negate") { ct_negate(a.handle, $0) }
    }

    /// e^x.
    public func exp() throws(TorchError) -> Tensor { try Tensor.make("exp") { ct_exp(handle, $0) } }

    /// e^x - 1, exact for small x.
    public func expm1() throws(TorchError) -> Tensor { try Tensor.make("expm1") { ct_expm1(handle, $0) } }

    /// The natural logarithm.
    public func log() throws(TorchError) -> Tensor { try Tensor.make("log") { ct_log(handle, $0) } }

    /// log(1 + x), exact for small x.
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

    /// The Gaussian error linear unit by its tanh formula.
    public func gelu() throws(TorchError) -> Tensor { try Tensor.make("gelu") { ct_gelu_tanh(handle, $0) } }

    /// x Phi(x), Phi the normal distribution's: GELU without an approximation.
    public func exactGelu() throws(TorchError) -> Tensor { try Tensor.make("exact gelu") { ct_gelu(handle, $0) } }

    /// The elements, none below `minimum`.
    public func clamped(minimum: Double) throws(TorchError) -> Tensor {
        try Tensor.make("clamp") { ct_clamp_min(handle, minimum, $0) }
    }

    /// Where the elements equal those of `other`; bool.
    public func equals(_ other: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make("equal") { ct_equal(handle, other.handle, $0) }
    }

    /// Where the elements equal `value`; bool.
    public func equals(_ value: Double) throws(TorchError) -> Tensor {
        try Tensor.make("equal") { ct_equal_scalar(handle, value, $0) }
    }

    /// Where the elements are neither infinite nor NaN; bool.
    public func isFinite() throws(TorchError) -> Tensor { try Tensor.make("is finite") { ct_is_finite(handle, $0) } }

    /// `self` (bool) ? a : b.
    public func choose(_ a: Tensor, _ b: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make("where") { ct_where(handle, a.handle, b.handle, $0) }
    }
}
