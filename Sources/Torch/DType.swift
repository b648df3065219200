import CTorch

/// The element types of tensors and model files.
public enum DType: String, Sendable, CaseIterable, Codable {
    /// Floating-point numbers, signed integers, unsigned bytes and Booleans; the number gives the bits.
    case float32, float64, float16, bfloat16, int64, int32, int16, int8, uint8, bool

    /// Bytes per element.
    public var width: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .float16, .bfloat16, .int16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    var handle: CTType {
        switch self {
        case .float32: CT_FLOAT32
        case .float64: CT_FLOAT64
        case .float16: CT_FLOAT16
        case .bfloat16: CT_BFLOAT16
        case .int64: CT_INT64
        case .int32: CT_INT32
        case .int16: CT_INT16
        case .int8: CT_INT8
        case .uint8: CT_UINT8
        case .bool: CT_BOOL
        }
    }

    init(_ handle: CTType) throws(TorchError) {
        guard let found = Self.allCases.first(where: { $0.handle == handle }) else {
            throw TorchError(.value, "dtype: the tensor has an element type that this library does not support")
        }
        self = found
    }
}

/// A Swift type whose values can be copied into and out of a tensor.
public protocol TensorElement: BitwiseCopyable, Sendable {
    /// The element type of a tensor of such values.
    static var dtype: DType { get }
}

extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Double: TensorElement { public static var dtype: DType { .float64 } }
extension Int: TensorElement { public static var dtype: DType { .int64 } }
extension Int64: TensorElement { public static var dtype: DType { .int64 } }
extension Int32: TensorElement { public static var dtype: DType { .int32 } }
extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }
extension Bool: TensorElement { public static var dtype: DType { .bool } }
