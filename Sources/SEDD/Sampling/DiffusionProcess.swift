import Foundation

/// What a sampling method knows of a model: its chain, its noise and, where it was measured, its information profile.
public struct DiffusionProcess: Sendable {
    public let graph: any TransitionGraph
    public let noise: any NoiseSchedule
    public let profile: InformationProfile?

    /// The time of the last state before denoising. Score models are trained on times from 1e-3 (the reference's
    /// training) and sampled down to 1e-5 (its samplers).
    public static let smallestTime = 1e-5

    public init(graph: any TransitionGraph, noise: any NoiseSchedule, profile: InformationProfile? = nil) {
        self.graph = graph
        self.noise = noise
        self.profile = profile
    }

    /// The chain and the noise that a model was trained for.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` for a noise schedule that is not one.
    public init(_ configuration: ModelConfiguration, profile: InformationProfile? = nil) throws(SEDDError) {
        self.init(graph: configuration.makeGraph(), noise: try configuration.makeNoise(), profile: profile)
    }

    /// Whether positions settle: the chain has a MASK.
    var isAbsorbing: Bool { graph.mask != nil }

    /// The share of positions that have left their token for good or for a uniform one at time t: 1 - e^-sigma(t).
    func displaced(_ time: Double) -> Double { -expm1(-noise.sigma(time)) }

    /// e^-sigma(t): the share that has not been touched.
    func kept(_ time: Double) -> Double { exp(-noise.sigma(time)) }

    /// The total noise under which that share is displaced, within what the model was trained on.
    func sigma(displaced share: Double) -> Double {
        min(noise.sigma(1), max(noise.sigma(Self.smallestTime), -log1p(-share)))
    }

    /// The time at which that share is displaced.
    func time(displaced share: Double) -> Double { noise.time(sigma: -log1p(-share)) }

    /// The probability that a masked position settles between two times, if the model's law is projected on the true total.
    func settling(from time: Double, to next: Double) -> Double {
        // 1 - m(next) / m(time), without the difference of two numbers near each other.
        let (now, later) = (noise.sigma(time), noise.sigma(next))
        return min(1, exp(-later) * -expm1(later - now) / -expm1(-now))
    }
}
