import Torch

/// Counter-based dropout masks: which elements a training step drops is a function of (seed, step, sequence, position,
/// channel).
public struct Dropout: Sendable {
    let share: Double
    let seed: UInt64
    let step: Int
    /// The index of each sequence of the batch within the whole step, across gradient accumulation.
    let sequences: [UInt32]

    /// - Parameters:
    ///   - share: dropout probability.
    ///   - sequences: the index of each sequence of this batch within the whole step.
    public init(share: Double, seed: UInt64, step: Int, sequences: [Int]) {
        self.share = share
        self.seed = seed
        self.step = step
        self.sequences = sequences.map { UInt32(truncatingIfNeeded: $0) }
    }

    /// The dropout of one branch (0 attention, 1 MLP) of a block; nil if the probability is 0.
    func of(block: Int, branch: Int) -> Kernels.Dropout? {
        guard share > 0 else { return nil }
        let key = RandomStream(seed: seed, purpose: .dropout(block: block, branch: branch)).key
        return Kernels.Dropout(share: share, key: key, step: UInt64(step), sequences: sequences)
    }

    /// `x` [B, L, d] with elements dropped and the others scaled up.
    func callAsFunction(_ x: Tensor, block: Int, branch: Int) throws -> Tensor {
        guard let dropped = of(block: block, branch: branch) else { return x }
        let shape = try x.shape
        return try x * Kernels.dropoutMask(dropped, length: shape[1], width: shape[2]).moved(to: x.device)  // [B, L, d]
    }
}
