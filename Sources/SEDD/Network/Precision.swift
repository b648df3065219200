import Files
public import Torch

/// Precision of the trunk. Head, loss, sampling, master weights and their gradients are float32 or better in every
/// case.
public enum Precision: String, Sendable, Codable, CaseIterable {
    /// bfloat16 activations and matrix products, for CUDA devices; norms, the residual stream and all sums over rows
    /// stay float32.
    case bf16
    /// Training steps on processors with bfloat16 instructions: the matrix products of the blocks and of Muon round
    /// their factors and results to bfloat16, as autocast does; everything between them is float32. Passes without
    /// gradients compute in float32.
    case bf16Products = "bf16-products"
    /// Single precision throughout; the default except on CUDA devices.
    case float32

    /// What a network is for.
    public enum Use: Sendable {
        /// Training steps.
        case training
        /// Passes without gradients: sampling, evaluation, serving.
        case inference
    }

    /// The default on `device`.
    public static func standard(on device: Device) -> Precision { device.kind == .cuda ? .bf16 : .float32 }

    /// `precision`, or the default, for a trunk on `device`.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if the device, the processor or the use does not support it.
    public static func resolved(
        _ precision: Precision?, on device: Device, for use: Use = .inference
    ) throws(SEDDError) -> Precision {
        switch precision {
        case .bf16 where device.kind != .cuda:
            throw SEDDError(
                .usage,
                "precision bf16 is not supported on \(device), which computes in float32; omit --precision, or use --device cuda"
            )
        case .bf16Products where use != .training:
            throw SEDDError(.usage, "precision bf16-products is for training steps; omit --precision")
        case .bf16Products where device.kind != .cpu:
            throw SEDDError(
                .usage,
                "precision bf16-products is for training on the CPU, not on \(device); omit --precision, or use --device cpu"
            )
        case .bf16Products where !Runtime.hasBFloat16Instructions:
            throw SEDDError(
                .usage,
                "precision bf16-products: expected a processor with AVX512-BF16 instructions, found none; omit --precision"
            )
        default: return precision ?? standard(on: device)
        }
    }
}
