import Files
import Torch

/// Keys and values of the positions that a model has been through, so that each new token costs one position.
final class KeyValueCache {
    private let keys, values: [Tensor]
    private let capacity: Int
    /// Positions that are in it.
    private(set) var filled = 0

    /// Room for `capacity` positions of `sequences`.
    init(_ configuration: AutoregressiveConfiguration, sequences: Int, capacity: Int, device: Device) throws {
        let shape = [sequences, configuration.nHeads, capacity, configuration.hiddenSize / configuration.nHeads]
        keys = try (0..<configuration.nBlocks).map { _ in try Tensor.zeros(shape, device: device) }
        values = try (0..<configuration.nBlocks).map { _ in try Tensor.zeros(shape, device: device) }
        self.capacity = capacity
    }

    /// Checks that `count` more positions can follow.
    ///
    /// - Throws: ``SEDDError`` of kind `usage`. Several positions at once must be the first: attention looks back from each of
    ///   them, and the engine aligns that with the first key.
    func requireRoom(for count: Int) throws(SEDDError) {
        guard filled + count <= capacity, filled == 0 || count == 1 else {
            throw SEDDError(
                .usage,
                "cache: \(count) positions after \(filled), with room for \(capacity); expected one by one after the first"
            )
        }
    }

    /// All keys and values of a block with those of new positions, each [B, heads, T, width], behind them.
    func extended(block: Int, keys new: Tensor, values newValues: Tensor) throws -> (Tensor, Tensor) {
        let count = try new.shape[2]
        try keys[block].narrowed(2, from: filled, length: count).copyInPlace(new)
        try values[block].narrowed(2, from: filled, length: count).copyInPlace(newValues)
        return (
            try keys[block].narrowed(2, from: 0, length: filled + count),
            try values[block].narrowed(2, from: 0, length: filled + count)
        )
    }

    /// Counts positions in, once every block has them.
    func advance(by count: Int) { filled += count }
}
