import Files
import Foundation

/// Settled tokens are taken back at a rate, so that an imperfect model can correct itself (ReMDM, arXiv 2503.00307; the psi form of
/// arXiv 2602.21185 under the uniform chain).
///
/// Law, under absorption, from t to s with r the probability of taking back: a settled position is masked with probability r, a masked
/// one settles with probability (a_s - (1 - r) a_t) / (1 - a_t), a = e^-sigma. So the masked share is that of the schedule whatever r.
/// r is proportional to the step, eta times its length, so that the law converges as the steps grow finer; it is at most
/// (1 - a_s) / a_t.
/// - cap: eta times the length. - rescale: the same share of the most that is possible.
/// - confidence: that of cap on average, shared out by a softmax of minus the probability that each token was drawn with. Where tokens
///   are taken back by what they are, the law is another one however fine the steps.
/// - loop: the schedule is run through to 0.9 kept at time 0.55, stays there until 0.05 while tokens are taken back, and ends.
/// Under the uniform chain 1 - eta times the length is the ancestral share of ``PsiRule``.
/// Evaluations: S + 1 at most; steps in which nothing settles need none under absorption.
struct RemaskMethod: SamplingMethod {
    enum Strategy: String, Sendable, CaseIterable { case cap, rescale, confidence, loop }

    static let strategy = SettingDeclaration(
        "strategy", .choice(Strategy.allCases.map(\.rawValue)), standard: .word("cap"),
        help: "Which settled tokens are taken back; the uniform chain has cap alone.")
    static let eta = SettingDeclaration(
        "eta", .number(0...1_000_000), standard: .number(8),
        help: "Rate at which tokens are taken back, a unit of time.")

    static let kind = SamplingMethodKind(
        "remask", chains: .both, claim: .converges, settings: [strategy, eta],
        summary: "Analytic steps that take settled tokens back, one evaluation a step"
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
                "strategy is \(strategy.rawValue), which needs a chain that masks; expected cap for the uniform chain")
        }
    }

    var kind: SamplingMethodKind { Self.kind }

    func planned(for trajectory: Trajectory) -> Int { grid.steps + 1 }

    /// Where the loop starts and ends, and what it keeps: the published settings.
    private static let loop = (from: 0.55, to: 0.05, kept: 0.9)

    /// a, the share that is not masked, at a time of the grid.
    private func kept(_ time: Double) -> Double {
        guard strategy == .loop else { return process.kept(time) }
        let loop = Self.loop
        if time > loop.from { return loop.kept * (1 - time) / (1 - loop.from) }
        return time > loop.to ? loop.kept : loop.kept + (1 - loop.kept) * (1 - time / loop.to)
    }

    private struct Step {
        let time, next, now, later: Double
        /// Probability of taking back, on average.
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
        // Which positions settle does not depend on the scores; only those meet the head.
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

    /// How probable each settled position is to be taken back.
    private func probabilities(_ settled: [Int], _ step: Step, _ trajectory: Trajectory) -> [Double] {
        guard strategy == .confidence else { return [Double](repeating: step.back, count: settled.count) }
        let weights = settled.map { exp(-trajectory.notes[$0]) }
        let total = weights.reduce(0, +)
        return weights.map { min(1, step.back * Double(settled.count) * $0 / total) }
    }
}
