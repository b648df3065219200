import Files
public import Torch

/// What the trunk computes in. Head, loss, draws, weights that the optimizer moves and their gradients are float32 or better
/// in each.
public enum Precision: String, Sendable, Codable, CaseIterable {
    /// bfloat16 activations and products, for CUDA devices; norms, the sum that runs through the blocks and all sums over
    /// rows stay float32.
    case bf16
    case float32

    /// What is taken on `device` unless another is asked for.
    public static func standard(on device: Device) -> Precision { device.kind == .cuda ? .bf16 : .float32 }

    /// `precision`, or the standard one, for a trunk on `device`.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where the device does not compute in it.
    public static func resolved(_ precision: Precision?, on device: Device) throws(SEDDError) -> Precision {
        guard precision != .bf16 || device.kind == .cuda else {
            throw SEDDError(
                .usage,
                "a precision of bf16 was asked for on \(device), which computes in float32; leave it out, or use --device cuda"
            )
        }
        return precision ?? standard(on: device)
    }
}
