import CTorch

/// The device that holds and computes tensors.
public struct Device: Sendable, Hashable, CustomStringConvertible {
    /// The supported kinds of device.
    public enum Kind: String, Sendable, CaseIterable {
        /// The CPU, a CUDA device (NVIDIA), or Metal (Apple).
        case cpu, cuda, mps
    }

    /// Kind of processor.
    public let kind: Kind
    /// Index among the devices of its kind.
    public let index: Int

    /// The CPU.
    public static let cpu = Device(kind: .cpu, index: 0)

    init(kind: Kind, index: Int) {
        self.kind = kind
        self.index = index
    }

    /// Parses `cpu`, `cuda`, `cuda:1` or `mps`, and checks that the device exists.
    ///
    /// - Throws: ``TorchError`` of kind `device` that says what was found instead.
    public init(_ name: String) throws(TorchError) {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        guard let kind = parts.first.flatMap({ Kind(rawValue: String($0)) }), parts.count <= 2,
            let index = parts.count == 2 ? Int(parts[1]) : 0, index >= 0
        else { throw TorchError(.device, "device '\(name)' is unknown; expected cpu, cuda or cuda:N") }
        if kind == .cuda { try Runtime.openCUDA() }
        let count = try Device.available(kind)
        guard index < count else {
            throw TorchError(
                .device, "device '\(name)' is not available: \(count) of kind \(kind.rawValue) found; use --device cpu")
        }
        self.init(kind: kind, index: index)
    }

    /// The name that ``init(_:)`` accepts.
    public var description: String { kind == .cuda ? "cuda:\(index)" : kind.rawValue }

    /// How many devices of `kind` this process can use; none if their library cannot be opened.
    public static func count(of kind: Kind) throws(TorchError) -> Int {
        // libtorch looks for CUDA once: asked before the library is open, it would never find it.
        if kind == .cuda { do { try Runtime.openCUDA() } catch { return 0 } }
        return try available(kind)
    }

    private static func available(_ kind: Kind) throws(TorchError) -> Int {
        var found: Int32 = 0
        try check(ct_device_count(Device(kind: kind, index: 0).handle.kind, &found), "device count")
        return Int(found)
    }

    /// Whether fused kernels exist for it.
    public var hasKernels: Bool { kind != .mps }

    /// The compute capability of a CUDA device, for instance 90 for 9.0.
    ///
    /// - Throws: ``TorchError`` for a device of another kind.
    public func computeCapability() throws(TorchError) -> Int {
        var capability: Int32 = 0
        try check(ct_compute_capability(handle, &capability), "compute capability")
        return Int(capability)
    }

    /// Peak memory of tensors on a CUDA device, bytes.
    ///
    /// - Throws: ``TorchError`` for a device of another kind.
    public func peakBytes() throws(TorchError) -> Int {
        var bytes: Int64 = 0
        try check(ct_peak_device_bytes(handle, &bytes), "peak memory")
        return Int(bytes)
    }

    /// Waits until all work submitted to this device has finished.
    public func synchronize() throws(TorchError) {
        try check(ct_synchronize(handle), "synchronize")
    }

    var handle: CTDevice {
        let code =
            switch kind {
            case .cpu: CT_CPU
            case .cuda: CT_CUDA
            case .mps: CT_MPS
            }
        return CTDevice(kind: code, index: Int32(index))
    }

    init(_ handle: CTDevice) {
        let kind: Kind =
            switch handle.kind {
            case CT_CUDA: .cuda
            case CT_MPS: .mps
            default: .cpu
            }
        self.init(kind: kind, index: Int(handle.index))
    }
}
