import Files
import Foundation

/// How much noise there is at time t in [0, 1].
///
/// sigma(t) is the total noise and sigmaRate(t) its derivative; the chain has run for sigma(t) of its own time at t.
public protocol NoiseSchedule: Sendable {
    /// Total noise at `t`.
    func sigma(_ t: Double) -> Double
    /// The derivative of the total noise at `t`, per unit of t.
    func sigmaRate(_ t: Double) -> Double
    /// The time at which the total noise is `sigma`, within 0...1; the end of it where no time has that much or that little.
    func time(sigma: Double) -> Double
}

extension NoiseSchedule {
    /// By bisection, since total noise rises with time.
    public func time(sigma target: Double) -> Double {
        var (low, high) = (0.0, 1.0)
        // Sixty halvings leave less than the spacing of doubles near 1.
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if sigma(middle) < target { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}

/// sigma = -log(1 - (1 - floor) t): under absorption the share of masked tokens grows evenly, to 1 - floor at t = 1.
public struct LogLinearNoise: NoiseSchedule {
    /// The share that is still unmasked at t = 1; it keeps sigma finite there.
    public let floor: Double

    /// - Parameter floor: the share of unmasked tokens at t = 1; 1e-3 in the released models.
    public init(floor: Double = 1e-3) {
        self.floor = floor
    }

    public func sigma(_ t: Double) -> Double { -log1p(-(1 - floor) * t) }

    public func sigmaRate(_ t: Double) -> Double { (1 - floor) / (1 - (1 - floor) * t) }

    public func time(sigma: Double) -> Double { min(1, max(0, -expm1(-sigma) / (1 - floor))) }
}

/// sigma = minimum^(1 - t) maximum^t.
public struct GeometricNoise: NoiseSchedule {
    public let minimum: Double
    public let maximum: Double

    /// - Throws: ``SEDDError`` where 0 < minimum < maximum does not hold.
    public init(minimum: Double, maximum: Double) throws(SEDDError) {
        guard minimum > 0, maximum > minimum, maximum.isFinite else {
            throw SEDDError(
                .invalidData, "geometric noise: expected 0 < sigma_min < sigma_max, found \(minimum) and \(maximum)")
        }
        self.minimum = minimum
        self.maximum = maximum
    }

    public func sigma(_ t: Double) -> Double { pow(minimum, 1 - t) * pow(maximum, t) }

    public func sigmaRate(_ t: Double) -> Double { sigma(t) * (log(maximum) - log(minimum)) }

    public func time(sigma: Double) -> Double {
        min(1, max(0, (log(sigma) - log(minimum)) / (log(maximum) - log(minimum))))
    }
}
