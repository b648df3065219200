import Foundation

/// The theta-trapezoidal rule (arXiv 2502.00234, after Hu, Li and Min 2011): a tau-leap over a fraction theta of the
/// step, then one over the rest with rates (a1 now - a2 before)₊, a1 = 1 / (2 theta (1 - theta)), a2 = ((1 - theta)² +
/// theta²) / (2 theta (1 - theta)).
///
/// Law: second order in the step size as long as no rate is clipped at 0, which strong dependence between positions
/// causes. Under absorption rates are m'/m times the clean token law, so what has settled in the first half stays.
/// Evaluations: 2 S + 1.
struct TrapezoidalMethod: SamplingMethod {
    static let theta = SettingDeclaration(
        "theta", .number(0.1...0.9), standard: .number(0.5),
        help: "Fraction of the step at which the second evaluation is made.")

    static let kind = SamplingMethodKind(
        "trapezoidal", chains: .both, claim: .converges, settings: [theta],
        summary: "Second order if positions depend weakly on each other, two evaluations per step"
    ) { settings, process throws(SEDDError) in try TrapezoidalMethod(settings, process) }

    private let process: DiffusionProcess
    private let grid: TimeGrid
    private let filter: TokenFilter
    private let theta, now, before: Double

    private init(_ settings: SamplingSettings, _ process: DiffusionProcess) throws(SEDDError) {
        self.process = process
        filter = settings.filter
        grid = try TimeGrid(settings.grid, steps: settings.steps, process: process)
        theta = settings.number(Self.theta)
        now = 1 / (2 * theta * (1 - theta))
        before = ((1 - theta) * (1 - theta) + theta * theta) / (2 * theta * (1 - theta))
    }

    var kind: SamplingMethodKind { Self.kind }

    func planned(for trajectory: Trajectory) -> Int { 2 * grid.steps + 1 }

    /// Factor that turns the law of a position (clean tokens under absorption, otherwise scores) into rates per unit of
    /// time.
    private func rate(_ time: Double) -> Double {
        let rate = process.noise.sigmaRate(time)
        return process.isAbsorbing ? rate / expm1(process.noise.sigma(time)) : rate / Double(process.graph.states)
    }

    func ask(_ trajectory: Trajectory) -> Question? {
        guard !trajectory.isFinished else { return nil }
        let (step, phase) = trajectory.done.quotientAndRemainder(dividingBy: 2)
        let (noise, open) = (process.noise, trajectory.open)
        let time = grid.times[min(step, grid.steps)]
        let denoising = RowLaw.linear(process.graph.denoisingRule(sigma: noise.sigma(time)))
        guard step < grid.steps else {
            return Question(
                sigma: noise.sigma(time), timeAfter: 0, positions: open, law: denoising, filter: filter)
        }
        let (next, length) = (grid.times[step + 1], time - grid.times[step + 1])
        let middle = time - theta * length
        guard phase == 0 else {
            let left = (1 - theta) * length
            let rule = TrapezoidRule(
                later: now * rate(middle) * left, earlier: before * rate(time) * left,
                isNormalised: process.isAbsorbing)
            return Question(
                sigma: noise.sigma(middle), timeAfter: next, positions: open, law: .trapezoid(rule), filter: filter)
        }
        let leap = rate(time) * theta * length
        var question = Question(
            sigma: noise.sigma(time), timeAfter: middle, positions: open, law: .leap(scale: leap), filter: filter)
        if process.isAbsorbing {
            // Which positions leap does not depend on the scores; only those go through the head.
            question.positions = open.filter { trajectory.happens(-expm1(-leap), at: $0, draw: 0) }
            question.law = denoising
        }
        question.keeps = !open.isEmpty
        return question
    }

    func apply(_ answer: Answer, to question: Question, _ trajectory: inout Trajectory) {
        trajectory.take(answer, question)
        trajectory.kept = answer.kept
        if trajectory.done == 2 * grid.steps { trajectory.finish() }
    }
}
