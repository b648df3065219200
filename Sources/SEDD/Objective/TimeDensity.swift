import Files
import Foundation

/// The density from which training draws times, and the weight of a sequence at each time.
///
/// Uniform times estimate the likelihood bound. Another density p on smallestTime...1 spends more sequences where more
/// can be learned. Weighting losses by 1 / p (`correction: full`) keeps the estimate of the bound unbiased and changes
/// only its variance; 1 / sqrt(p) (`root`) or no weight (`none`) shifts the objective towards the times drawn more
/// often. Validation always measures the unmodified bound over uniform times.
public struct TimeDensity: Sendable, Codable, Equatable {
    /// The shapes of the density.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// Uniform.
        case uniform
        /// A truncated normal distribution with this mean and standard deviation.
        case normal
        /// A beta distribution with this mean and standard deviation.
        case beta
        /// Uniform on `mean ± width`.
        case window
        /// Proportional to the root mean square of the losses measured at each time in this run.
        case fitted
    }

    /// Factor on the loss of a sequence, in addition to the objective's own weight.
    public enum Correction: String, Sendable, Codable, CaseIterable {
        /// 1, 1 / sqrt(p) or 1 / p, where p is the density.
        case none, root, full
    }

    /// `uniform`, `normal`, `beta`, `window` or `fitted`; the short form is `time_density: normal`.
    public var type = Kind.uniform
    /// Mean of the density; centre of the window.
    public var mean = 0.5
    /// Standard deviation of the density before truncation; half-width of the window.
    public var width = 0.25
    /// `none`, `root` for 1 / sqrt(p), `full` for 1 / p.
    public var correction = Correction.none
    /// Fitted: steps between fits.
    public var refit = 100

    /// Uniform.
    public init() {}

    /// Checks what the types cannot express.
    ///
    /// - Parameter key: configuration key to name in messages.
    func validate(_ key: String) throws(SEDDError) {
        func bad(_ name: String, _ value: some Any, _ expected: String) -> SEDDError {
            SEDDError(.invalidData, "\(key).\(name) is \(value); expected \(expected)")
        }
        guard mean > 0, mean < 1 else { throw bad("mean", mean, "0 < value < 1") }
        guard width >= 1e-3, width.isFinite else { throw bad("width", width, "0.001 or more") }
        guard refit >= 1 else { throw bad("refit", refit, "1 or more") }
        guard type != .beta || width * width < mean * (1 - mean) else {
            throw bad(
                "width", width,
                "less than \((mean * (1 - mean)).squareRoot()), the greatest deviation of a Beta distribution of mean \(mean)"
            )
        }
        guard type != .window || correction == .none else {
            throw bad("correction", correction.rawValue, "none: no weight can correct for times that a window excludes")
        }
    }

    /// The density on (0, 1) up to a factor.
    func shape(_ t: Double) -> Double {
        switch type {
        case .uniform, .fitted: return 1
        case .normal:
            let z = (t - mean) / width
            return exp(-z * z / 2)
        case .beta:
            let total = mean * (1 - mean) / (width * width) - 1
            return exp((mean * total - 1) * log(t) + ((1 - mean) * total - 1) * log1p(-t))
        case .window: return abs(t - mean) <= width ? 1 : 0
        }
    }
}

/// A piecewise constant density on smallestTime...1 over bins of equal width, with its quantile function.
///
/// The step function is the density itself, not an approximation: quantiles and weights are exact, so weights of 1 / p
/// give an unbiased estimate.
struct TimeTable: Sendable, Equatable {
    /// Number of bins for the built-in shapes.
    static let bins = 1024

    let smallestTime: Double
    /// Density of each bin relative to the uniform one; their mean is 1.
    let relative: [Double]
    /// Cumulative probability at the end of each bin.
    private let cumulative: [Double]

    /// - Parameter masses: mass of each bin, up to a factor; at least one is positive.
    init(masses: [Double], smallestTime: Double) {
        let total = masses.reduce(0, +)
        self.smallestTime = smallestTime
        relative = masses.map { $0 * Double(masses.count) / total }
        var sum = 0.0
        var ends = masses.map { mass in
            sum += mass
            return sum / total
        }
        // The last bin with positive mass absorbs rounding.
        if let last = masses.lastIndex(where: { $0 > 0 }) {
            for index in last..<ends.count { ends[index] = 1 }
        }
        cumulative = ends
    }

    /// The built-in shapes, evaluated at bin centres; nil for uniform times and for densities fitted during a run.
    init?(_ density: TimeDensity, smallestTime: Double) {
        guard density.type != .uniform, density.type != .fitted else { return nil }
        let masses = (0..<Self.bins).map { bin in
            density.shape(smallestTime + (1 - smallestTime) * (Double(bin) + 0.5) / Double(Self.bins))
        }
        self.init(masses: masses, smallestTime: smallestTime)
    }

    /// The quantile function: the time below which a fraction `u` of the draws lies.
    func quantile(_ u: Double) -> Double {
        // The first bin whose end exceeds u; it has positive mass, because an empty bin ends where its predecessor
        // does.
        var (low, high) = (0, cumulative.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > u { high = middle } else { low = middle + 1 }
        }
        let start = low == 0 ? 0 : cumulative[low - 1]
        let within = min(max((u - start) / (cumulative[low] - start), 0), 1)
        return smallestTime + (1 - smallestTime) * (Double(low) + within) / Double(cumulative.count)
    }

    /// The density at `t`, relative to the uniform one.
    func density(_ t: Double) -> Double {
        let place = (t - smallestTime) / (1 - smallestTime) * Double(relative.count)
        return relative[min(max(Int(place), 0), relative.count - 1)]
    }
}
