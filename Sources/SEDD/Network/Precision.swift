import Files
public import Torch

/// Precision of the trunk. Head, loss, sampling, master weights and their gradients are float32 or better in either
/// case.
public enum Precision: String, Sendable, Codable, CaseIterable {
    /// bfloat16 activations and matrix products, for CUDA devices; norms, the residual stream and all sums over rows
    /// stay float32.
    case bf16
    /// Single precision throughout; the default except on CUDA devices.
    case float32

    /// The default on `device`.
    public static func standard(on device: Device) -> Precision { device.kind == .cuda ? .bf16 : .float32 }

    /// `precision`, or the default, for a trunk on `device`.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if the device does not support it.
    public static func resolved(_ precision: Precision?, on device: Device) throws(SEDDError) -> Precision {
        guard precision != .bf16 || device.kind == .cuda else {
            throw SEDDError(
                .usage,
                "precision bf16 is not supported on \(device), which computes in float32; omit --precision, or use --device cuda"
            )
        }
        return precision ?? standard(on: device)
    }
}
