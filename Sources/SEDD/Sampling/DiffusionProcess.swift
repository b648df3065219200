import Foundation

/// What a sampling method knows of a model: its chain, its noise schedule and, if measured, its information profile.
public struct DiffusionProcess: Sendable {
    /// The Markov chain.
    public let graph: any TransitionGraph
    /// The noise schedule.
    public let noise: any NoiseSchedule
    /// The information profile, if one was measured.
    public let profile: InformationProfile?

    /// The time of the last state before denoising. Score models are trained on times from 1e-3 (the reference's
    /// training) and sampled down to 1e-5 (its samplers).
    public static let smallestTime = 1e-5

    /// Combines a chain, a schedule and an optional profile.
    public init(graph: any TransitionGraph, noise: any NoiseSchedule, profile: InformationProfile? = nil) {
        self.graph = graph
        self.noise = noise
        self.profile = profile
    }

    /// The chain and the schedule that a model was trained with.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` for an invalid noise schedule.
    public init(_ configuration: ModelConfiguration, profile: InformationProfile? = nil) throws(SEDDError) {
        self.init(graph: configuration.makeGraph(), noise: try configuration.makeNoise(), profile: profile)
    }

    /// Whether positions settle: the chain has a MASK.
    var isAbsorbing: Bool { graph.mask != nil }

    /// The displaced fraction at time t: 1 - e^-sigma(t), the positions that have been masked or resampled uniformly.
    func displaced(_ time: Double) -> Double { -expm1(-noise.sigma(time)) }

    /// The untouched fraction at time t: e^-sigma(t).
    func kept(_ time: Double) -> Double { exp(-noise.sigma(time)) }

    /// The total noise at which that fraction is displaced, clamped to the range of the schedule.
    func sigma(displaced share: Double) -> Double {
        min(noise.sigma(1), max(noise.sigma(Self.smallestTime), -log1p(-share)))
    }

    /// The time at which that fraction is displaced.
    func time(displaced share: Double) -> Double { noise.time(sigma: -log1p(-share)) }

    /// The probability that a masked position settles between two times, with the model's law normalized to the true
    /// total.
    func settling(from time: Double, to next: Double) -> Double {
        // 1 - m(next) / m(time), computed without cancellation.
        let (now, later) = (noise.sigma(time), noise.sigma(next))
        return min(1, exp(-later) * -expm1(later - now) / -expm1(-now))
    }
}
