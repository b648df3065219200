import Torch

/// The trunk's output for the sequences of a batch of questions, with as few evaluations as possible.
///
/// The output of a time-free network is a function of the states alone, so one evaluation of a sequence answers its
/// questions until a state changes: N analytic steps of L positions take N (1 - (1 - 1/N)^L) evaluations on average
/// (RADD, arXiv 2406.03736). On the CPU, where rows are bit-identical in every batch, texts are the same with and
/// without reuse.
struct HiddenVectors {
    /// [B L, d].
    let tensor: Tensor
    /// Whether the vectors of each sequence come from an earlier evaluation.
    let isReused: [Bool]
    private let isTimeFree: Bool

    /// - Parameter reuses: false to evaluate every sequence, for tests.
    init(_ asked: [Asked], length: Int, network: ScoreNetwork, reuses: Bool = true) throws {
        isTimeFree = reuses && network.configuration.model.conditioning.isTimeFree
        let kept = isTimeFree ? asked.map(Self.kept) : asked.map { _ in nil }
        isReused = kept.map { $0 != nil }
        let fresh = asked.indices.filter { kept[$0] == nil }
        let evaluated: Tensor? =
            if fresh.isEmpty { nil } else {
                try network.hidden(
                    Tensor(fresh.flatMap { asked[$0].states }, shape: [fresh.count, length], device: network.device),
                    sigma: fresh.map { asked[$0].question.sigma })  // [F L, d]
            }
        if let evaluated, fresh.count == asked.count {
            tensor = evaluated
            return
        }
        var next = 0
        tensor = try .concatenated(
            kept.map { hidden in
                if let hidden { return hidden }
                next += 1
                return try evaluated?.narrowed(0, from: (next - 1) * length, length: length)
                    ?? Tensor.empty([0, network.configuration.model.hiddenSize])
            }, dimension: 0)
    }

    /// The vectors [L, d] of an earlier evaluation of the same states.
    private static func kept(_ one: Asked) -> Tensor? {
        guard let kept = one.trajectory.reusable as? KeptHidden, kept.states == one.states else { return nil }
        return kept.hidden
    }

    /// Records in the answer for sequence `index` what can be reused, and whether it was.
    func note(_ index: Int, of one: Asked, in answer: inout Answer) throws {
        guard isTimeFree else { return }
        answer.isReused = isReused[index]
        let length = one.states.count
        // A copy: a view would keep the vectors of the whole batch.
        answer.reusable =
            isReused[index]
            ? one.trajectory.reusable
            : KeptHidden(
                hidden: try tensor.narrowed(0, from: index * length, length: length).cloned(), states: one.states,
                sigma: one.question.sigma)
    }
}
