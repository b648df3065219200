import Torch

/// Divides a step's sequences into lanes that are evaluated in parallel, one thread each, and adds their gradients in
/// lane order.
///
/// Operators on all threads synchronize a thousand times per step, and on a processor shared with other processes they
/// wait each time for the thread that the system delays. Lanes synchronize once.
struct StepLanes: Sendable {
    /// Consecutive sequences with a learner of their own.
    private struct Lane {
        let sequences: Range<Int>
        let learner: any Learner
        /// Where the gradients of these sequences are summed; nil for the first lane, which uses those of the step.
        let gradients: Weights?
    }

    /// A loss to be evaluated over the sequences of this process.
    struct Work: Sendable {
        let step: Int
        /// Number of sequences of the step, over all processes.
        let count: Int
        let times: TimeTable?
        /// Factor on the weighted sum of losses.
        let scale: Double
    }

    private let lanes: [Lane]
    /// Number of sequences that a lane evaluates together.
    private let part: Int
    private let first: Int

    /// - Parameters:
    ///   - sequences: those of this process.
    ///   - unit: number of sequences that must stay together.
    ///   - part: number of sequences that all lanes together may evaluate at once.
    init(_ learner: any Learner, sequences: Range<Int>, unit: Int, part: Int) throws {
        let layout = learner.weights.layout
        let units = (sequences.count + unit - 1) / unit
        let isOnCPU = try learner.weights.flat.device.kind == .cpu
        let count =
            isOnCPU
            ? Self.count(
                units: units, threads: try Runtime.threads(), bytes: layout.flatCount * MemoryLayout<Float>.size)
            : 1
        lanes = try (0..<count).map { index in
            let bounds = [index, index + 1].map {
                sequences.lowerBound + min(sequences.count, $0 * units / count * unit)
            }
            let gradients = try index == 0 ? nil : Weights(layout: layout)
            return Lane(
                sequences: bounds[0]..<bounds[1],
                learner: try gradients.map { try learner.companion(collectingIn: $0) } ?? learner, gradients: gradients)
        }
        self.part = max(unit, part / count / unit * unit)
        first = sequences.lowerBound
    }

    /// Number of lanes; 1 if several would leave threads idle or need too much memory.
    ///
    /// - Parameters:
    ///   - units: sequences, or pairs of them that must stay together.
    ///   - bytes: size of a lane's gradients.
    static func count(units: Int, threads: Int, bytes: Int) -> Int {
        ParallelTasks.count(for: units, threads: threads) {
            $0 - 1 <= mostBytes / max(1, bytes)
        }
    }

    /// Maximum total size of the gradients of all lanes, bytes.
    private static let mostBytes = 1 << 30

    /// The loss of each sequence, in order; sets `gradients` to the gradient of their weighted sum.
    ///
    /// - Parameter tokens: tokens of each sequence of this process.
    func evaluate(_ work: Work, _ tokens: [[Int]], into gradients: Weights) throws -> [SequenceLoss] {
        let losses =
            try lanes.count == 1
            ? [evaluate(lanes[0], work, tokens, into: gradients)]
            : ParallelTasks.map(lanes.count) { try evaluate(lanes[$0], work, tokens, into: gradients) }
        try Kernels.add(lanes.compactMap(\.gradients?.flat), to: gradients.flat)
        return losses.flatMap { $0 }
    }

    private func evaluate(_ lane: Lane, _ work: Work, _ tokens: [[Int]], into gradients: Weights) throws
        -> [SequenceLoss]
    {
        let gradients = lane.gradients ?? gradients
        try gradients.flat.zeroInPlace()
        return try stride(from: lane.sequences.lowerBound, to: lane.sequences.upperBound, by: part).flatMap { start in
            let sequences = start..<min(start + part, lane.sequences.upperBound)
            return try lane.learner.accumulateGradients(
                sequences.flatMap { tokens[$0 - first] },
                of: StepPart(step: work.step, sequences: sequences, count: work.count, times: work.times),
                scale: work.scale, into: gradients)
        }
    }
}
