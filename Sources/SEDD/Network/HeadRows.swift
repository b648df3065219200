import Torch

/// The rows of hidden vectors that meet a head together, so that nothing ever holds [B, L, V].
///
/// So many that one chunk of outputs takes 64 MiB of float32, which at the largest vocabularies in use is enough for the
/// products of the head to run at full speed; on CUDA devices 512 MiB, for they take larger ones.
struct HeadRows: Sendable {
    /// Rows of a chunk; 16 or more.
    let atOnce: Int

    /// - Parameter outputs: V of the head.
    init(outputs: Int, device: Device) {
        atOnce = max(16, (device.kind == .cuda ? 1 << 27 : 1 << 24) / outputs)
    }

    /// Chunks of `atOnce` rows; what tests make small.
    init(atOnce: Int) { self.atOnce = atOnce }

    /// The chunks of `count` rows, in order.
    func chunks(of count: Int) -> some Sequence<Range<Int>> {
        stride(from: 0, to: count, by: atOnce).lazy.map { [atOnce] in $0..<min($0 + atOnce, count) }
    }
}
