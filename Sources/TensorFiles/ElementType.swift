/// The element types of tensor files.
///
/// Not all of them can be computed with; those that can have a `DType` of the same name.
package enum ElementType: String, Sendable, CaseIterable {
    case float64, float32, float16, bfloat16
    case int64, int32, int16, int8, uint8, bool
    case uint64, uint32, uint16, complex64
    case float8e5m2, float8e4m3, float8e8m0, float8e4m3fnuz, float8e5m2fnuz
    case float6e2m3, float6e3m2, float4

    /// Bits per element.
    package var bits: Int {
        switch self {
        case .float64, .int64, .uint64, .complex64: 64
        case .float32, .int32, .uint32: 32
        case .float16, .bfloat16, .int16, .uint16: 16
        case .int8, .uint8, .bool, .float8e5m2, .float8e4m3, .float8e8m0, .float8e4m3fnuz, .float8e5m2fnuz: 8
        case .float6e2m3, .float6e3m2: 6
        case .float4: 4
        }
    }

    /// Whether weights can be read from it: each element is a number of its own, without a separate scale.
    package var isFloatingPoint: Bool {
        switch self {
        case .float64, .float32, .float16, .bfloat16: true
        default: false
        }
    }

    /// The name in a safetensors header.
    package var safetensorsName: String {
        switch self {
        case .float64: "F64"
        case .float32: "F32"
        case .float16: "F16"
        case .bfloat16: "BF16"
        case .int64: "I64"
        case .int32: "I32"
        case .int16: "I16"
        case .int8: "I8"
        case .uint64: "U64"
        case .uint32: "U32"
        case .uint16: "U16"
        case .uint8: "U8"
        case .bool: "BOOL"
        case .complex64: "C64"
        case .float8e5m2: "F8_E5M2"
        case .float8e4m3: "F8_E4M3"
        case .float8e8m0: "F8_E8M0"
        case .float8e4m3fnuz: "F8_E4M3FNUZ"
        case .float8e5m2fnuz: "F8_E5M2FNUZ"
        case .float6e2m3: "F6_E2M3"
        case .float6e3m2: "F6_E3M2"
        case .float4: "F4"
        }
    }

    /// The type called `name` in a safetensors header.
    package init?(safetensorsName name: String) {
        guard let found = Self.allCases.first(where: { $0.safetensorsName == name }) else { return nil }
        self = found
    }

    /// The element type of PyTorch's storage class `name`, for instance `FloatStorage`.
    package init?(storageClass name: String) {
        switch name {
        case "DoubleStorage": self = .float64
        case "FloatStorage": self = .float32
        case "HalfStorage": self = .float16
        case "BFloat16Storage": self = .bfloat16
        case "LongStorage": self = .int64
        case "IntStorage": self = .int32
        case "ShortStorage": self = .int16
        case "CharStorage": self = .int8
        case "ByteStorage": self = .uint8
        case "BoolStorage": self = .bool
        case "ComplexFloatStorage": self = .complex64
        default: return nil
        }
    }
}
