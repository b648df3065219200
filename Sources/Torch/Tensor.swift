import CTorch

/// An array of numbers of any rank, on a device.
///
/// A `Tensor` owns one handle of the engine and frees it in `deinit`; copies of the reference share the elements, and so
/// do views (`reshaped`, `narrowed`, `transposed`). Operators make new tensors. The few methods that change elements in
/// place end in `InPlace`; whoever calls one must be the only user of that tensor at that moment. That rule, and the
/// engine's own safety for reading from several threads, is what `@unchecked Sendable` rests on.
public final class Tensor: @unchecked Sendable {
    let handle: CTTensor

    /// Takes ownership of `handle`.
    init(owning handle: CTTensor) {
        self.handle = handle
    }

    deinit {
        ct_release(handle)
    }

    /// Runs one operation of the engine that hands out a tensor.
    @inline(__always)
    static func make(
        _ operation: StaticString, _ body: (UnsafeMutablePointer<CTTensor>) -> CTStatus
    ) throws(TorchError) -> Tensor {
        var out = CTTensor()
        try check(body(&out), operation)
        return Tensor(owning: out)
    }

    // MARK: Making

    /// A tensor of `shape` filled with the elements of `values`, row by row.
    ///
    /// - Throws: ``TorchError`` of kind `value` where the counts differ.
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

    /// Elements of a tensor of `shape`; nil where a size is negative or no Int holds the count.
    private static func count(of shape: [Int]) -> Int? {
        shape.reduce(Optional(1)) { count, size in
            guard let count, size >= 0 else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            return overflow ? nil : product
        }
    }

    /// A vector of the elements of `values`.
    public convenience init<Element: TensorElement>(_ values: [Element], device: Device = .cpu) throws(TorchError) {
        try self.init(values, shape: [values.count], device: device)
    }

    /// A tensor whose elements are the raw little-endian bytes of `bytes`.
    ///
    /// - Throws: ``TorchError`` of kind `value` where the byte count is not what `shape` and `dtype` take.
    public convenience init(bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType) throws(TorchError) {
        var out = CTTensor()
        let sizes = shape.map(Int64.init)
        try check(
            ct_from_bytes(bytes.baseAddress, bytes.count, sizes, Int32(sizes.count), dtype.handle, &out), "tensor")
        self.init(owning: out)
    }

    /// A tensor of `shape` in which every element is `value`.
    public static func full(
        _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        let sizes = shape.map(Int64.init)
        return try make("full") {
            ct_full(sizes, Int32(sizes.count), value, dtype.handle, device.handle, $0)
        }
    }

    /// A tensor of `shape` in which every element is zero.
    public static func zeros(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        try full(shape, 0, dtype: dtype, device: device)
    }

    /// A tensor of `shape` whose elements have no meaning yet.
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

    /// Where the elements are.
    public var device: Device {
        get throws(TorchError) {
            var code = CTDevice(kind: CT_CPU, index: 0)
            try check(ct_device(handle, &code), "device")
            return Device(code)
        }
    }

    /// The elements, row by row, copied out and converted to `Element`.
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

    /// The raw little-endian bytes of the elements, row by row.
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
    /// - Throws: ``TorchError`` of kind `value` where there is more than one.
    public func item() throws(TorchError) -> Double {
        var value = 0.0
        try check(ct_item(handle, &value), "item")
        return value
    }

    // MARK: Moving

    /// The same values in another element type.
    public func cast(to dtype: DType) throws(TorchError) -> Tensor {
        try Tensor.make("cast") { ct_to_type(handle, dtype.handle, $0) }
    }

    /// The same values on `device`.
    public func moved(to device: Device) throws(TorchError) -> Tensor {
        try Tensor.make("move") { ct_to_device(handle, device.handle, $0) }
    }

    /// Another handle to the same elements.
    private func takeHandle() throws(TorchError) -> CTTensor {
        var out = CTTensor()
        try check(ct_detach(handle, &out), "tensor")
        return out
    }
}
