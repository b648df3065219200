import Foundation

/// Corrector steps: a chain that leaves the marginal law at one time invariant, exactly for one position and to first
/// order in its step for several, and so corrects errors of the predictor (Song et al. 2021; Campbell et al. 2022 for
/// discrete chains).
///
/// Under absorption each masked position settles with probability p and each settled one is masked with probability q =
/// p m / (1 - m), where m is the masked fraction; the two flows of a position balance for any p. Several that settle in
/// one step are drawn independently. p is that of the predictor's own step (forward-backward corrector). Under the
/// uniform chain reverse and forward rates act together for c = (1 - e^-step) / 2: y is taken with c (s_y + 1) / V.
struct Corrector: Sendable {
    /// Number of corrector steps after each predictor step.
    static let setting = SettingDeclaration(
        "corrector", .whole(0...16), standard: .number(0),
        help: "Corrector steps after each step, one evaluation each.")

    let process: DiffusionProcess

    /// The law at `time`, for a predictor step that would continue to `next`.
    func law(time: Double, next: Double) -> RowLaw {
        let (sigma, later) = (process.noise.sigma(time), process.noise.sigma(next))
        guard !process.isAbsorbing else {
            return .linear(.remaining(slope: settling(time: time, next: next) * expm1(sigma)))
        }
        let size = Double(process.graph.states)
        let c = -expm1(later - sigma) / 2 / size
        return .linear(ReverseRule(slope: c, rest: c, own: 1 - c * (size - 1), ownSpread: -c))
    }

    /// Masks settled positions again, under absorption; `settled` are those before the corrector's answer was applied.
    func remask(_ settled: [Int], time: Double, next: Double, _ trajectory: inout Trajectory) {
        guard process.isAbsorbing else { return }
        let masked = process.displaced(time)
        let probability = settling(time: time, next: next) * masked / (1 - masked)
        for position in settled where trajectory.happens(probability, at: position, draw: 0) {
            trajectory.remask(position)
        }
    }

    /// p, limited so that q is at most 1.
    private func settling(time: Double, next: Double) -> Double {
        let masked = process.displaced(time)
        return min(process.settling(from: time, to: next), (1 - masked) / masked)
    }
}
