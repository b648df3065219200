/// The purpose of a random number. Streams of different purposes are independent for the same seed.
public enum RandomPurpose: Sendable, Hashable {
    /// Initial weights.
    case initialization
    /// Which windows of the text a step trains on.
    case windows
    /// The diffusion times of a batch.
    case times
    /// Which positions are noised, and to which state.
    case corruption
    /// Dropout of one branch (0 attention, 1 MLP) of one block.
    case dropout(block: Int, branch: Int)
    /// The state from which generation starts.
    case limit
    /// The draws of a reverse step.
    case reverseStep
    /// Which blocks a validation or evaluation uses, and their times.
    case evaluation
    /// Which positions the reconstruction term displaces, and to which state.
    case reconstruction
    /// The draws of an autoregressive model.
    case leftToRight
    /// Initial cluster centres.
    case clusters
    /// Decisions of a sampling method other than drawing tokens: which positions, and when.
    case decision

    var code: UInt64 {
        switch self {
        case .initialization: 1
        case .windows: 2
        case .times: 3
        case .corruption: 4
        case .limit: 5
        case .reverseStep: 6
        case .evaluation: 7
        case .reconstruction: 20
        case .leftToRight: 21
        case .clusters: 22
        case .decision: 23
        case .dropout(let block, let branch): 1000 + UInt64(block) * 2 + UInt64(branch)
        }
    }
}

/// Random numbers for one (seed, purpose), addressed by step, sequence and position.
///
/// There is no generator state: the same address always gives the same number, so a resumed run, or a sequence moved to
/// another batch, sees the same numbers.
public struct RandomStream: Sendable {
    /// The key derived from (seed, purpose).
    public let key: UInt64
    @usableFromInline let philox: Philox

    /// Creates the stream of `seed` for `purpose`.
    public init(seed: UInt64, purpose: RandomPurpose) {
        // Two rounds of SplitMix64 (Steele, Lea, Flood 2014): neighbouring seeds and purposes give unrelated keys.
        func mixed(_ value: UInt64) -> UInt64 {
            var z = value &+ 0x9E37_79B9_7F4A_7C15
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
        key = mixed(mixed(seed) ^ purpose.code)
        philox = Philox(key: key)
    }

    /// A number in (0, 1).
    @inlinable
    public func uniform(step: Int, sequence: Int, position: Int = 0, draw: Int = 0) -> Double {
        philox.uniform(counter(step, sequence, position, draw))
    }

    /// An integer in 0..<bound.
    @inlinable
    public func integer(below bound: Int, step: Int, sequence: Int, position: Int = 0, draw: Int = 0) -> Int {
        philox.integer(below: bound, counter(step, sequence, position, draw))
    }

    @inlinable
    func counter(_ step: Int, _ sequence: Int, _ position: Int, _ draw: Int) -> SIMD4<UInt32> {
        SIMD4(
            UInt32(truncatingIfNeeded: draw), UInt32(truncatingIfNeeded: position),
            UInt32(truncatingIfNeeded: sequence), UInt32(truncatingIfNeeded: step))
    }
}
