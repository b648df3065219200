/// One evaluation per step of a time grid, then a denoising step: the predictors of the paper.
///
/// - analytic: Tweedie's formula for each position (equation 19): exact for one position; positions that change
///   together are treated as independent, so the law has a first-order error in the step size, from their dependence.
/// - euler: y is taken with dt times the reverse rate, otherwise the state is kept (the paper's tau-leaping); first
///   order too.
///
/// Evaluations: S + 1, or S (1 + c) + 1 with c corrector steps; under absorption those without a masked position are
/// skipped.
struct GridMethod: SamplingMethod {
    /// The rule of a step.
    enum Rule: Sendable { case analytic, euler }

    static let analytic = SamplingMethodKind(
        "analytic", chains: .both, claim: .converges, settings: [Corrector.setting],
        summary: "Tweedie's formula for each position, one evaluation per step"
    ) { settings, process throws(SEDDError) in try GridMethod(.analytic, settings, process) }

    static let euler = SamplingMethodKind(
        "euler", chains: .both, claim: .converges, settings: [Corrector.setting],
        summary: "Euler step of the reverse rates, one evaluation per step"
    ) { settings, process throws(SEDDError) in try GridMethod(.euler, settings, process) }

    private let rule: Rule
    private let process: DiffusionProcess
    private let grid: TimeGrid
    private let filter: TokenFilter
    private let corrector: Corrector
    /// Evaluations per step: the predictor's and the corrector's.
    private let phases: Int

    private init(_ rule: Rule, _ settings: SamplingSettings, _ process: DiffusionProcess) throws(SEDDError) {
        self.rule = rule
        self.process = process
        filter = settings.filter
        grid = try TimeGrid(settings.grid, steps: settings.steps, process: process)
        corrector = Corrector(process: process)
        phases = 1 + settings.whole(Corrector.setting)
    }

    var kind: SamplingMethodKind { rule == .analytic ? Self.analytic : Self.euler }
    var revises: Bool { phases > 1 }

    func planned(for trajectory: Trajectory) -> Int { grid.steps * phases + 1 }

    func ask(_ trajectory: Trajectory) -> Question? {
        guard !trajectory.isFinished else { return nil }
        let (step, phase) = trajectory.done.quotientAndRemainder(dividingBy: phases)
        let (times, noise) = (grid.times, process.noise)
        func question(_ time: Double, after: Double, _ law: RowLaw) -> Question {
            Question(
                sigma: noise.sigma(time), timeAfter: after, positions: trajectory.open, law: law, filter: filter)
        }
        guard step < grid.steps else {
            let last = times[grid.steps]
            return question(last, after: 0, .linear(process.graph.denoisingRule(sigma: noise.sigma(last))))
        }
        let (time, next) = (times[step], times[step + 1])
        guard phase == 0 else { return question(next, after: next, corrector.law(time: next, next: beyond(step))) }
        let law =
            switch rule {
            case .analytic: process.graph.analyticRule(sigmaStep: noise.sigma(time) - noise.sigma(next))
            case .euler: process.graph.eulerRule(scale: noise.sigmaRate(time) * (time - next))
            }
        return question(time, after: next, .linear(law))
    }

    /// The time to which a predictor step from the end of `step` would lead.
    private func beyond(_ step: Int) -> Double { step + 2 <= grid.steps ? grid.times[step + 2] : 0 }

    func apply(_ answer: Answer, to question: Question, _ trajectory: inout Trajectory) {
        let (step, phase) = trajectory.done.quotientAndRemainder(dividingBy: phases)
        let settled = phase > 0 ? trajectory.settled : []
        trajectory.take(answer, question)
        if phase > 0, step < grid.steps {
            corrector.remask(settled, time: grid.times[step + 1], next: beyond(step), &trajectory)
        }
        if step == grid.steps { trajectory.finish() }
    }
}
