import Foundation

/// The first-hitting sampler (arXiv 2409.02908): the times at which positions settle, drawn exactly, and one token at each.
///
/// Law: n masked positions all stay masked from t to s with probability (m(s) / m(t))^n, so the next event is where
/// m = m(t) u^(1/n), u uniform; the position is any of the n, and its token from the clean-token law at that time. That is the law
/// of the reverse process itself with infinitely many steps, of the model's scores made to add up to what true ones do: exact
/// where the scores are. Where the least noise of the schedule is passed, all that is left is denoised at once.
/// Evaluations: one for each position that the model writes; steps and grid are not looked at.
struct FirstHittingMethod: SamplingMethod {
    static let kind = SamplingMethodKind(
        "first-hitting", chains: .absorbing, claim: .exact,
        summary: "Exact event times, one position and one evaluation an event"
    ) { settings, process throws(SEDDError) in FirstHittingMethod(process: process, filter: settings.filter) }

    private let process: DiffusionProcess
    private let filter: TokenFilter

    private init(process: DiffusionProcess, filter: TokenFilter) {
        self.process = process
        self.filter = filter
    }

    var kind: SamplingMethodKind { Self.kind }

    func planned(for trajectory: Trajectory) -> Int { trajectory.open.count }

    /// The masked share at which the next position settles. It starts at 1: a sample starts all masked.
    private func share(_ trajectory: Trajectory, masked: Int) -> Double {
        (trajectory.notes.first ?? 1) * pow(trajectory.decision(), 1 / Double(masked))
    }

    func ask(_ trajectory: Trajectory) -> Question? {
        let open = trajectory.open
        guard !open.isEmpty, !trajectory.isFinished else { return nil }
        let share = share(trajectory, masked: open.count)
        let (sigma, least) = (-log1p(-share), process.noise.sigma(0))
        // Beyond the ends of the schedule the model is told of the end.
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
