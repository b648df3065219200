import Foundation

/// The first-hitting sampler (arXiv 2409.02908): draws the exact times at which positions settle, and one token at
/// each.
///
/// Law: n masked positions all stay masked from t to s with probability (m(s) / m(t))^n, so the next event is at m =
/// m(t) u^(1/n) with u uniform; the position is any of the n with equal probability, and its token follows the clean
/// token law at that time. That is the reverse process itself in the limit of infinitely many steps, with the model's
/// scores normalized to their true total: exact if the scores are. Below the schedule's lowest noise level the
/// remaining positions are denoised at once. Evaluations: one per generated position; steps and grid are ignored.
struct FirstHittingMethod: SamplingMethod {
    static let kind = SamplingMethodKind(
        "first-hitting", chains: .absorbing, claim: .exact, usesGrid: false,
        summary: "Exact event times: one position and one evaluation per event"
    ) { settings, process throws(SEDDError) in FirstHittingMethod(process: process, filter: settings.filter) }

    private let process: DiffusionProcess
    private let filter: TokenFilter

    private init(process: DiffusionProcess, filter: TokenFilter) {
        self.process = process
        self.filter = filter
    }

    var kind: SamplingMethodKind { Self.kind }

    func planned(for trajectory: Trajectory) -> Int { trajectory.open.count }

    /// The masked fraction at which the next position settles. It starts at 1: samples start fully masked.
    private func share(_ trajectory: Trajectory, masked: Int) -> Double {
        (trajectory.notes.first ?? 1) * pow(trajectory.decision(), 1 / Double(masked))
    }

    func ask(_ trajectory: Trajectory) -> Question? {
        let open = trajectory.open
        guard !open.isEmpty, !trajectory.isFinished else { return nil }
        let share = share(trajectory, masked: open.count)
        let (sigma, least) = (-log1p(-share), process.noise.sigma(0))
        // Outside the schedule the model is conditioned on its nearest end.
        let told = min(max(sigma, least), process.noise.sigma(1))
        var question = Question(
            sigma: told, timeAfter: process.noise.time(sigma: told), positions: open,
            law: .linear(process.graph.denoisingRule(sigma: told)), filter: filter)
        if sigma > least { question.positions = [open[trajectory.choice(of: open.count, draw: 1)]] }
        question.note = share
        return question
    }

    func apply(_ answer: Answer, to question: Question, _ trajectory: inout Trajectory) {
        trajectory.notes = [question.note ?? 1]
        trajectory.take(answer, question)
        if trajectory.open.isEmpty { trajectory.finish() }
    }
}
