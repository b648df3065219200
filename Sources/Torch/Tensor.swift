import CTorch

/// A multidimensional array on a device.
///
/// A `Tensor` owns one libtorch handle and releases it in `deinit`; references share the elements, as do views
/// (`reshaped`, `narrowed`, `transposed`). Operators return new tensors. The few methods that modify elements in place
/// have names ending in `InPlace`, and their caller must have exclusive access to the tensor. This rule, and libtorch's
/// thread safety for reading, justify `@unchecked Sendable`.
public final class Tensor: @unchecked Sendable {
    let handle: CTTensor

    /// Takes ownership of `handle`.
    init(owning handle: CTTensor) {
        self.handle = handle
    }

    deinit {
        ct_release(handle)
    }

    /// Runs an operation of libtorch that returns a tensor.
    @inline(__always)
    static func make(
        _ operation: StaticString, _ body: (UnsafeMutablePointer<CTTensor>) -> CTStatus
    ) throws(TorchError) -> Tensor {
        var out = CTTensor()
        try check(body(&out), operation)
        return Tensor(owning: out)
    }

    // MARK: Making

    /// A tensor of `shape` with elements `values` in row-major order.
    ///
    /// - Throws: ``TorchError`` of kind `value` if the counts differ.
    public convenience init<Element: TensorElement>(
        _ values: [Element], shape: [Int], device: Device = .cpu
    ) throws(TorchError) {
        guard let expected = Tensor.count(of: shape), values.count == expected else {
            let takes = Tensor.count(of: shape).map(String.init) ?? "an impossible number of"
            throw TorchError(.value, "tensor: shape \(shape) takes \(takes) elements, found \(values.count)")
        }
        var out = CTTensor()
        let sizes = shape.map(Int64.init)
        let status = values.withUnsafeBytes { bytes in
            ct_from_bytes(bytes.baseAddress, bytes.count, sizes, Int32(sizes.count), Element.dtype.handle, &out)
        }
        try check(status, "tensor")
        self.init(owning: try Tensor(owning: out).moved(to: device).takeHandle())
    }

    /// Number of elements of a tensor of `shape`; nil if a size is negative or the product overflows.
    private static func count(of shape: [Int]) -> Int? {
        shape.reduce(Optional(1)) { count, size in
            guard let count, size >= 0 else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            return overflow ? nil : product
        }
    }

    /// A vector of `values`.
    public convenience init<Element: TensorElement>(_ values: [Element], device: Device = .cpu) throws(TorchError) {
        try self.init(values, shape: [values.count], device: device)
    }

    /// A tensor from raw little-endian bytes.
    ///
    /// - Throws: ``TorchError`` of kind `value` if the number of bytes does not match `shape` and `dtype`.
    public convenience init(bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType) throws(TorchError) {
        var out = CTTensor()
        let sizes = shape.map(Int64.init)
        try check(
            ct_from_bytes(bytes.baseAddress, bytes.count, sizes, Int32(sizes.count), dtype.handle, &out), "tensor")
        self.init(owning: out)
    }

    /// A tensor filled with `value`.
    public static func full(
        _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        let sizes = shape.map(Int64.init)
        return try make("full") {
            ct_full(sizes, Int32(sizes.count), value, dtype.handle, device.handle, $0)
        }
    }

    /// A tensor filled with zeros.
    public static func zeros(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        try full(shape, 0, dtype: dtype, device: device)
    }

    /// A tensor with uninitialized elements.
    public static func empty(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        let sizes = shape.map(Int64.init)
        return try make("empty") { ct_empty(sizes, Int32(sizes.count), dtype.handle, device.handle, $0) }
    }

    // MARK: Reading

    /// Sizes of the dimensions, outermost first.
    public var shape: [Int] {
        get throws(TorchError) {
            var rank: Int32 = 0
            try check(ct_rank(handle, &rank), "shape")
            var sizes = [Int64](repeating: 0, count: Int(rank))
            try check(ct_shape(handle, &sizes, rank), "shape")
            return sizes.map(Int.init)
        }
    }

    /// Number of elements.
    public var count: Int {
        get throws(TorchError) { try shape.reduce(1, *) }
    }

    /// The element type.
    public var dtype: DType {
        get throws(TorchError) {
            var code = CT_OTHER_TYPE
            try check(ct_type(handle, &code), "dtype")
            return try DType(code)
        }
    }

    /// The device of the elements.
    public var device: Device {
        get throws(TorchError) {
            var code = CTDevice(kind: CT_CPU, index: 0)
            try check(ct_device(handle, &code), "device")
            return Device(code)
        }
    }

    /// The elements in row-major order, converted to `Element`.
    public func array<Element: TensorElement>(_: Element.Type = Element.self) throws(TorchError) -> [Element] {
        let converted = try cast(to: Element.dtype)
        let count = try converted.count
        var status = CT_OK
        let values = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            status = ct_to_bytes(converted.handle, buffer.baseAddress, count * MemoryLayout<Element>.stride)
            initialized = status == CT_OK ? count : 0
        }
        try check(status, "array")
        return values
    }

    /// The raw little-endian bytes of the elements in row-major order.
    public func bytes() throws(TorchError) -> [UInt8] {
        let count = try self.count * dtype.width
        var status = CT_OK
        let values = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            status = ct_to_bytes(handle, buffer.baseAddress, count)
            initialized = status == CT_OK ? count : 0
        }
        try check(status, "bytes")
        return values
    }

    /// The only element, as a number.
    ///
    /// - Throws: ``TorchError`` of kind `value` if there is more than one.
    public func item() throws(TorchError) -> Double {
        var value = 0.0
        try check(ct_item(handle, &value), "item")
        return value
    }

    // MARK: Moving

    /// The elements converted to another type.
    public func cast(to dtype: DType) throws(TorchError) -> Tensor {
        try Tensor.make("cast") { ct_to_type(handle, dtype.handle, $0) }
    }

    /// The elements on `device`.
    public func moved(to device: Device) throws(TorchError) -> Tensor {
        try Tensor.make("move") { ct_to_device(handle, device.handle, $0) }
    }

    /// A second handle to the same elements.
    private func takeHandle() throws(TorchError) -> CTTensor {
        var out = CTTensor()
        try check(ct_detach(handle, &out), "tensor")
        return out
    }
}
