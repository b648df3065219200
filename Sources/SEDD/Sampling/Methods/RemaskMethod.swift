import Files
import Foundation

/// Masks settled tokens again at a rate, so that the model can correct its mistakes (ReMDM, arXiv 2503.00307; the psi
/// form of arXiv 2602.21185 under the uniform chain).
///
/// Law under absorption, from t to s with remasking probability r: a settled position is masked with probability r, a
/// masked one settles with probability (a_s - (1 - r) a_t) / (1 - a_t), where a = e^-sigma. So the masked fraction
/// follows the schedule for any r. r is eta times the step length, so that the law converges as steps become finer; it
/// is at most (1 - a_s) / a_t.
///
/// - cap: eta times the step length.
/// - rescale: the same fraction of the maximum.
/// - confidence: like cap on average, distributed by a softmax of the negative probability with which each token was
///   drawn. Because this depends on the tokens, the law differs from the model's however fine the steps.
/// - loop: the schedule runs until 0.9 is unmasked at time 0.55, stays there until time 0.05 while tokens are remasked,
///   then finishes.
///
/// Under the uniform chain 1 - eta times the step length is the ancestral weight of ``PsiRule``.
/// Evaluations: at most S + 1; under absorption, steps in which nothing settles need none.
struct RemaskMethod: SamplingMethod {
    enum Strategy: String, Sendable, CaseIterable { case cap, rescale, confidence, loop }

    static let strategy = SettingDeclaration(
        "strategy", .choice(Strategy.allCases.map(\.rawValue)), standard: .word("cap"),
        help: "How tokens to remask are chosen; the uniform chain supports only cap.")
    static let eta = SettingDeclaration(
        "eta", .number(0...1_000_000), standard: .number(8),
        help: "Remasking rate, per unit of time.")

    static let kind = SamplingMethodKind(
        "remask", chains: .both, claim: .converges, settings: [strategy, eta],
        summary: "Analytic steps that also remask settled tokens, one evaluation per step"
    ) { settings, process throws(SEDDError) in try RemaskMethod(settings, process) }

    private let process: DiffusionProcess
    private let filter: TokenFilter
    private let grid: TimeGrid
    private let strategy: Strategy
    private let eta: Double

    private init(_ settings: SamplingSettings, _ process: DiffusionProcess) throws(SEDDError) {
        self.process = process
        filter = settings.filter
        grid = try TimeGrid(settings.grid, steps: settings.steps, process: process)
        strategy = Strategy(rawValue: settings.word(Self.strategy)) ?? .cap
        eta = settings.number(Self.eta)
        guard process.isAbsorbing || strategy == .cap else {
            throw SEDDError(
                .usage,
                "strategy is \(strategy.rawValue), which requires the absorbing chain; expected cap for the uniform chain"
            )
        }
    }

    var kind: SamplingMethodKind { Self.kind }
    var revises: Bool { eta > 0 }

    func planned(for trajectory: Trajectory) -> Int { grid.steps + 1 }

    /// Start, end and unmasked fraction of the loop: the published settings.
    private static let loop = (from: 0.55, to: 0.05, kept: 0.9)

    /// a, the unmasked fraction at a time of the grid.
    private func kept(_ time: Double) -> Double {
        guard strategy == .loop else { return process.kept(time) }
        let loop = Self.loop
        if time > loop.from { return loop.kept * (1 - time) / (1 - loop.from) }
        return time > loop.to ? loop.kept : loop.kept + (1 - loop.kept) * (1 - time / loop.to)
    }

    private struct Step {
        let time, next, now, later: Double
        /// Mean remasking probability.
        let back: Double
        /// Probability that a masked position settles.
        let settling: Double
    }

    private func step(_ number: Int) -> Step {
        let (time, next) = (grid.times[number], grid.times[number + 1])
        let (now, later) = (kept(time), kept(next))
        let rate = strategy == .loop && (time > Self.loop.from || time <= Self.loop.to) ? 0 : eta * (time - next)
        let most = now > 0 ? min(1, (1 - later) / now) : 1
        let back = strategy == .rescale ? min(1, rate) * most : min(rate, most)
        let settling = now < 1 ? (later - (1 - back) * now) / (1 - now) : 1
        return Step(time: time, next: next, now: now, later: later, back: back, settling: min(1, max(0, settling)))
    }

    func ask(_ trajectory: Trajectory) -> Question? {
        guard !trajectory.isFinished else { return nil }
        let (number, open) = (trajectory.done, trajectory.open)
        guard number < grid.steps else {
            let sigma = process.noise.sigma(grid.times[grid.steps])
            return Question(
                sigma: sigma, timeAfter: 0, positions: open, law: .linear(process.graph.denoisingRule(sigma: sigma)),
                filter: filter)
        }
        let step = step(number)
        let sigma = strategy == .loop ? process.sigma(displaced: 1 - step.now) : process.noise.sigma(step.time)
        let clean = process.graph.denoisingRule(sigma: sigma)
        guard process.isAbsorbing else {
            let ancestral = process.graph.analyticRule(sigmaStep: sigma - process.noise.sigma(step.next))
            let psi = PsiRule(
                ancestral: 1 - min(1, eta * (step.time - step.next)), step: ancestral, clean: clean, kept: step.later)
            return Question(sigma: sigma, timeAfter: step.next, positions: open, law: .psi(psi), filter: filter)
        }
        // Which positions settle does not depend on the scores; only those go through the head.
        let settling = open.filter { trajectory.happens(step.settling, at: $0, draw: 0) }
        var question = Question(
            sigma: sigma, timeAfter: step.next, positions: settling, law: .linear(clean), filter: filter)
        question.wantsProbabilities = strategy == .confidence
        return question
    }

    func apply(_ answer: Answer, to question: Question, _ trajectory: inout Trajectory) {
        let settled = trajectory.settled
        trajectory.take(answer, question)
        guard trajectory.done < grid.steps else { return trajectory.finish() }
        guard process.isAbsorbing else { return }
        let step = step(trajectory.done)
        if strategy == .confidence, trajectory.notes.isEmpty {
            trajectory.notes = [Double](repeating: 1, count: trajectory.states.count)
        }
        let probabilities = self.probabilities(settled, step, trajectory)
        for (position, probability) in zip(settled, probabilities)
        where trajectory.happens(probability, at: position, draw: 1) { trajectory.remask(position) }
        for (place, probability) in (answer.probabilities ?? []).enumerated() {
            trajectory.notes[question.positions[place]] = probability
        }
    }

    /// The remasking probability of each settled position.
    private func probabilities(_ settled: [Int], _ step: Step, _ trajectory: Trajectory) -> [Double] {
        guard strategy == .confidence else { return [Double](repeating: step.back, count: settled.count) }
        let weights = settled.map { exp(-trajectory.notes[$0]) }
        let total = weights.reduce(0, +)
        return weights.map { min(1, step.back * Double(settled.count) * $0 / total) }
    }
}
