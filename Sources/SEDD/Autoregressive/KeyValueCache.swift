import Files
import Torch

/// Keys and values of the positions processed so far, so that each new token costs one position.
final class KeyValueCache {
    private let keys, values: [Tensor]
    private let capacity: Int
    /// Number of cached positions.
    private(set) var filled = 0

    /// Allocates room for `capacity` positions of each of `sequences` sequences.
    init(_ configuration: AutoregressiveConfiguration, sequences: Int, capacity: Int, device: Device) throws {
        let shape = [sequences, configuration.nHeads, capacity, configuration.hiddenSize / configuration.nHeads]
        keys = try (0..<configuration.nBlocks).map { _ in try Tensor.zeros(shape, device: device) }
        values = try (0..<configuration.nBlocks).map { _ in try Tensor.zeros(shape, device: device) }
        self.capacity = capacity
    }

    /// Checks that `count` more positions fit.
    ///
    /// - Throws: ``SEDDError`` of kind `usage`. Several positions may only be added to an empty cache: libtorch aligns
    ///   the causal mask with the first key.
    func requireRoom(for count: Int) throws(SEDDError) {
        guard filled + count <= capacity, filled == 0 || count == 1 else {
            throw SEDDError(
                .usage,
                "cache: \(count) positions after \(filled), with room for \(capacity); expected one by one after the first"
            )
        }
    }

    /// Keys and values of a block with those of new positions, each [B, heads, T, width], appended.
    func extended(block: Int, keys new: Tensor, values newValues: Tensor) throws -> (Tensor, Tensor) {
        let count = try new.shape[2]
        try keys[block].narrowed(2, from: filled, length: count).copyInPlace(new)
        try values[block].narrowed(2, from: filled, length: count).copyInPlace(newValues)
        return (
            try keys[block].narrowed(2, from: 0, length: filled + count),
            try values[block].narrowed(2, from: 0, length: filled + count)
        )
    }

    /// Marks `count` positions as cached, after every block has stored them.
    func advance(by count: Int) { filled += count }
}
