import Torch

/// Splits rows of hidden vectors into chunks for the head, so that [B, L, V] is never materialized.
///
/// One chunk of outputs takes 64 MiB of float32, enough for the head's products to run at full speed with the largest
/// vocabularies in use; on CUDA devices 512 MiB, because they need larger products.
struct HeadRows: Sendable {
    /// Rows per chunk; 16 or more.
    let atOnce: Int

    /// - Parameter outputs: V of the head.
    init(outputs: Int, device: Device) {
        atOnce = max(16, (device.kind == .cuda ? 1 << 27 : 1 << 24) / outputs)
    }

    /// Chunks of `atOnce` rows; small ones for tests.
    init(atOnce: Int) { self.atOnce = atOnce }

    /// The chunks of `count` rows, in order.
    func chunks(of count: Int) -> some Sequence<Range<Int>> {
        stride(from: 0, to: count, by: atOnce).lazy.map { [atOnce] in $0..<min($0 + atOnce, count) }
    }
}
