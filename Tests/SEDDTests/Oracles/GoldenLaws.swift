@testable import SEDD

/// The chain of three positions and three tokens that published and derived figures are compared on: p0 of (a, b, c) proportional to
/// (1 + 2 ((3a + 5b + 7c + ab + 2bc + ac) mod 11))². Its entropy is 2.800 nats, its total correlation 0.3600.
///
/// Figures are KL(p0 || law of the sampler) in nats as printed, from an independent enumeration by matrix products; grids are
/// linear in N steps, with the ending of each figure's source.
enum GoldenLaws {
    static func weight(_ x: [Int]) -> Double {
        let (a, b, c) = (x[0], x[1], x[2])
        let root = Double(1 + 2 * ((3 * a + 5 * b + 7 * c + a * b + 2 * b * c + a * c) % 11))
        return root * root
    }

    /// Of less noise at the start than any figure shows.
    static let absorb = TinyChain(
        AbsorbingGraph(tokens: 3), noise: LogLinearNoise(floor: 1e-12), length: 3, weight: weight)
    static let uniform = TinyChain(
        UniformGraph(tokens: 3), noise: LogLinearNoise(floor: 1e-6), length: 3, weight: weight)

    /// How a figure's grid ends.
    enum End: Sendable {
        /// At 1/N, with the denoising as the last step.
        case denoising
        /// At 1e-3, followed by a denoising step.
        case late
        /// At 1e-3, without denoising.
        case cut
        /// The cosines of k pi / 2N, with the denoising as the last step.
        case cosine
    }

    struct Row: Sendable, CustomStringConvertible {
        let name: String
        let isAbsorbing: Bool
        /// Of N steps.
        let settings: @Sendable (_ steps: Int) -> SamplingSettings
        let end: End
        /// Advances of a step.
        var phases = 1
        let figures: [(steps: Int, printed: String)]
        var description: String { "\(isAbsorbing ? "absorbing" : "uniform"), \(name)" }
    }

    private static func method(_ name: String) -> @Sendable (Int) -> SamplingSettings {
        { _ in SamplingSettings(method: name) }
    }

    /// `rate` a step, whatever the number of steps.
    private static func remask(_ rate: Double) -> @Sendable (Int) -> SamplingSettings {
        { SamplingSettings(method: "remask", own: ["eta": .number(rate * Double($0))]) }
    }

    static let rows: [Row] = [
        Row(
            name: "euler", isAbsorbing: true, settings: method("euler"), end: .late,
            figures: [
                (2, "1.21e-01"), (4, "4.33e-02"), (8, "1.59e-02"), (16, "5.88e-03"), (32, "2.15e-03"), (64, "7.5e-04"),
            ]),
        Row(
            name: "analytic", isAbsorbing: true, settings: method("analytic"), end: .denoising,
            figures: [
                (2, "1.21e-01"), (4, "4.35e-02"), (8, "1.59e-02"), (16, "5.90e-03"), (32, "2.16e-03"), (64, "7.6e-04"),
            ]),
        Row(
            name: "trapezoidal", isAbsorbing: true, settings: method("trapezoidal"), end: .late, phases: 2,
            figures: [
                (2, "2.43e-02"), (4, "1.02e-02"), (8, "4.26e-03"), (16, "1.71e-03"), (32, "6.3e-04"), (64, "2.1e-04"),
            ]),
        Row(
            name: "remask, 0.2 a step", isAbsorbing: true, settings: remask(0.2), end: .denoising,
            figures: [
                (2, "1.21e-01"), (4, "5.12e-02"), (8, "2.74e-02"), (16, "1.63e-02"), (32, "1.05e-02"), (64, "6.5e-03"),
            ]),
        Row(
            name: "analytic, cosine", isAbsorbing: true, settings: method("analytic"), end: .cosine,
            figures: [(2, "1.72e-01"), (4, "6.55e-02"), (8, "2.46e-02"), (16, "9.27e-03")]),
        Row(
            name: "euler", isAbsorbing: false, settings: method("euler"), end: .cut,
            figures: [(4, "1.11e-01"), (8, "3.57e-02"), (16, "1.18e-02"), (32, "3.97e-03"), (64, "1.36e-03")]),
        Row(
            name: "analytic", isAbsorbing: false, settings: method("analytic"), end: .denoising,
            figures: [(4, "8.49e-02"), (8, "3.14e-02"), (16, "1.09e-02"), (32, "3.66e-03"), (64, "1.17e-03")]),
        Row(
            name: "trapezoidal", isAbsorbing: false, settings: method("trapezoidal"), end: .cut, phases: 2,
            figures: [(4, "1.45e-02"), (8, "5.2e-03"), (16, "1.8e-03"), (32, "6.2e-04")]),
        Row(
            name: "psi, 0.9 ancestral", isAbsorbing: false, settings: remask(0.1), end: .denoising,
            figures: [(4, "8.61e-02"), (8, "3.27e-02"), (16, "1.19e-02"), (32, "4.28e-03"), (64, "1.52e-03")]),
        Row(
            name: "psi, 0.5 ancestral", isAbsorbing: false, settings: remask(0.5), end: .denoising,
            figures: [(4, "9.1e-02"), (8, "3.9e-02"), (16, "1.6e-02"), (32, "7.0e-03"), (64, "3.2e-03")]),
        Row(
            name: "psi, none ancestral", isAbsorbing: false, settings: remask(1), end: .denoising,
            figures: [(4, "9.9e-02"), (8, "4.8e-02"), (16, "2.3e-02"), (32, "1.2e-02"), (64, "6.2e-03")]),
    ]
}
