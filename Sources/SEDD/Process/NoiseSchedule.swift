import Files
import Foundation

/// The noise level as a function of time t in [0, 1] (section 5.1, appendix C.1).
///
/// sigma(t) is the total noise, written sigma-bar in the paper, and sigmaRate(t) is its derivative: at time t the chain
/// has run for sigma(t) units of its own time.
public protocol NoiseSchedule: Sendable {
    /// Total noise at `t`.
    func sigma(_ t: Double) -> Double
    /// The derivative of the total noise at `t`, per unit of t.
    func sigmaRate(_ t: Double) -> Double
    /// The inverse of ``sigma(_:)``, clamped to 0...1.
    func time(sigma: Double) -> Double
}

extension NoiseSchedule {
    /// Bisection; total noise increases with time.
    public func time(sigma target: Double) -> Double {
        var (low, high) = (0.0, 1.0)
        // After sixty halvings the interval is narrower than the spacing of doubles near 1.
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if sigma(middle) < target { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}

/// sigma = -log(1 - (1 - floor) t): under absorption the masked fraction grows linearly, to 1 - floor at t = 1.
public struct LogLinearNoise: NoiseSchedule {
    /// The fraction still unmasked at t = 1; it keeps sigma finite there.
    public let floor: Double

    /// - Parameter floor: fraction of unmasked tokens at t = 1; 1e-3 in the released models.
    public init(floor: Double = 1e-3) {
        self.floor = floor
    }

    /// -log(1 - (1 - floor) t).
    public func sigma(_ t: Double) -> Double { -log1p(-(1 - floor) * t) }

    /// (1 - floor) / (1 - (1 - floor) t).
    public func sigmaRate(_ t: Double) -> Double { (1 - floor) / (1 - (1 - floor) * t) }

    /// (1 - e^-sigma) / (1 - floor), clamped to 0...1.
    public func time(sigma: Double) -> Double { min(1, max(0, -expm1(-sigma) / (1 - floor))) }
}

/// sigma = minimum^(1 - t) maximum^t.
public struct GeometricNoise: NoiseSchedule {
    /// sigma(0).
    public let minimum: Double
    /// sigma(1).
    public let maximum: Double

    /// Bounds of sigma: e^sigma and 1 / sigma, which scores are multiplied by, are float32 numbers.
    static let bounds = 1e-30...80.0

    /// - Throws: ``SEDDError`` of kind `invalidData` unless 1e-30 <= minimum < maximum <= 80.
    public init(minimum: Double, maximum: Double) throws(SEDDError) {
        guard Self.bounds.contains(minimum), Self.bounds.contains(maximum), minimum < maximum else {
            throw SEDDError(
                .invalidData,
                "geometric noise: expected 0 < sigma_min < sigma_max <= 80, with a sigma_min of 1e-30 or more, found \(minimum) and \(maximum)"
            )
        }
        self.minimum = minimum
        self.maximum = maximum
    }

    /// minimum^(1 - t) maximum^t.
    public func sigma(_ t: Double) -> Double { pow(minimum, 1 - t) * pow(maximum, t) }

    /// sigma(t) log(maximum / minimum).
    public func sigmaRate(_ t: Double) -> Double { sigma(t) * (log(maximum) - log(minimum)) }

    /// log(sigma / minimum) / log(maximum / minimum), clamped to 0...1.
    public func time(sigma: Double) -> Double {
        min(1, max(0, (log(sigma) - log(minimum)) / (log(maximum) - log(minimum))))
    }
}
