import Files
import Torch

/// How processes sum their gradients.
public struct GradientSums: Sendable, Equatable {
    /// The element type of gradients in transit.
    public enum Precision: String, Sendable, CaseIterable {
        /// Full precision, as gradients are computed.
        case float32
        /// Half the traffic; each sum is rounded to 8 significant bits.
        case bfloat16
    }

    /// The element type of gradients in transit.
    public var precision = Precision.float32
    /// Whether gradients of single sequences are added in the order of their numbers, which gives identical bytes for any number of
    /// processes. It is slow: sequences are evaluated one by one, and sums pass from process to process.
    public var inOrder = false

    /// Sums in float32, in an order that depends on the number of processes.
    public init() {}
}

/// Exchanges gradients, losses and stop requests between the processes in each step.
struct StepExchange: Sendable {
    let team: Team
    let sums: GradientSums

    /// The results of one process.
    struct Share {
        let step: Int
        /// Number of sequences of the step, and the range that this process has evaluated.
        let count: Int
        let own: Range<Int>
        let losses: [SequenceLoss]
        let stops: Bool
    }

    /// The results of all processes.
    struct Whole {
        /// One per sequence of the step, by number.
        let losses: [SequenceLoss]
        /// Whether any process has been asked to stop.
        let stops: Bool
    }

    /// Replaces `gradients` with their sums over all processes, and returns the losses of all sequences.
    func callAsFunction(_ share: Share, gradients: Tensor) throws -> Whole {
        guard team.isJoined else { return Whole(losses: share.losses, stops: share.stops) }
        let whole = try losses(share)
        guard !sums.inOrder else { return whole }
        let what = "sum of gradients"
        switch sums.precision {
        case .float32: try team.sum(gradients, what)
        case .bfloat16:
            let rounded = try gradients.cast(to: .bfloat16)
            try team.sum(rounded, what)
            try gradients.copyInPlace(rounded)
        }
        return whole
    }

    /// Sums one float64 array in which every element is 0 in all processes but one, so that sums are exact copies.
    private func losses(_ share: Share) throws -> Whole {
        let width = 4
        var numbers = [Double](repeating: 0, count: share.count * width + 2)
        for (sequence, loss) in zip(share.own, share.losses) {
            let place = sequence * width
            (numbers[place], numbers[place + 1]) = (loss.nats, loss.weight)
            // Times are positive: 0 represents nil.
            (numbers[place + 2], numbers[place + 3]) = (loss.time ?? 0, loss.density)
        }
        numbers[numbers.count - 2] = share.stops ? 1 : 0
        numbers[numbers.count - 1] = Double(share.step)
        let all = try team.sum(numbers, "sum of losses")
        guard all[all.count - 1] == Double(share.step * team.size) else {
            throw SEDDError(
                .temporary,
                "\(team.name): sum of losses: other processes are at another step; start the same command again to go on"
            )
        }
        return Whole(
            losses: (0..<share.count).map { sequence in
                let place = sequence * width
                return SequenceLoss(
                    nats: all[place], weight: all[place + 1], time: all[place + 2] > 0 ? all[place + 2] : nil,
                    density: all[place + 3])
            }, stops: all[all.count - 2] > 0)
    }

    /// Sums gradients in the order of their sequences: each process adds its own to the sum of those before it.
    ///
    /// - Parameter parts: gradients of this process's sequences, in order.
    func addInOrder(_ parts: [Tensor], into sum: Tensor) throws {
        try sum.zeroInPlace()
        for process in 0..<team.size {
            if process == team.rank { for part in parts { try sum.addInPlace(part) } }
            try team.broadcast(sum, from: process, "sum of gradients in order")
        }
    }
}
