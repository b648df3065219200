import Files
import Foundation

/// How often training draws each time, and how much a sequence drawn there counts.
///
/// Uniform times estimate the likelihood bound. Other densities p on smallestTime...1 spend more sequences where more is to be
/// learned; multiplying their losses by 1 / p (`correction: full`) estimates the bound all the same, and only the variance
/// differs, by 1 / sqrt(p) (`root`) or by nothing (`none`) the objective shifts towards the times that are drawn more often.
/// Validation always measures the unmodified bound over uniform times.
public struct TimeDensity: Sendable, Codable, Equatable {
    /// The shapes of the density.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// Every time alike.
        case uniform
        /// A normal distribution of this mean and deviation, truncated.
        case normal
        /// A Beta distribution of this mean and deviation.
        case beta
        /// Every time within `mean ± width` alike, and no other.
        case window
        /// In proportion to the root mean square of the losses that this run has measured there.
        case fitted
    }

    /// What the loss of a drawn sequence is multiplied by, beside the objective's own weight.
    public enum Correction: String, Sendable, Codable, CaseIterable {
        case none, root, full
    }

    /// `uniform`, `normal`, `beta`, `window` or `fitted`; `time_density: normal` says this alone.
    public var type = Kind.uniform
    /// Mean of the density; the middle of the window.
    public var mean = 0.5
    /// Standard deviation of the density, before it is truncated; half the width of the window.
    public var width = 0.25
    /// `none`, `root` for 1 / sqrt(p), `full` for 1 / p.
    public var correction = Correction.none
    /// Fitted: steps between fits.
    public var refit = 100

    /// Uniform.
    public init() {}

    /// Checks what the types cannot say.
    ///
    /// - Parameter key: what messages call this.
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
            throw bad("correction", correction.rawValue, "none: a window leaves times out, which no weight brings back")
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

/// A density on smallestTime...1 that is constant within each of equally wide bins, and its quantile function.
///
/// The step function is the density itself, not an approximation of one: quantiles and weights are exact for it, so weights of
/// 1 / p make an unbiased estimate.
struct TimeTable: Sendable, Equatable {
    /// Bins of the published shapes.
    static let bins = 1024

    let smallestTime: Double
    /// Density of each bin relative to the uniform one; their mean is 1.
    let relative: [Double]
    /// Probability below each bin's end.
    private let cumulative: [Double]

    /// - Parameter masses: of each bin, up to a factor; some of them above 0.
    init(masses: [Double], smallestTime: Double) {
        let total = masses.reduce(0, +)
        self.smallestTime = smallestTime
        relative = masses.map { $0 * Double(masses.count) / total }
        var sum = 0.0
        var ends = masses.map { mass in
            sum += mass
            return sum / total
        }
        // The last bin that can be drawn takes what rounding leaves.
        if let last = masses.lastIndex(where: { $0 > 0 }) {
            for index in last..<ends.count { ends[index] = 1 }
        }
        cumulative = ends
    }

    /// The published shapes, by the value in the middle of each bin; nil for uniform times and for those that a run fits.
    init?(_ density: TimeDensity, smallestTime: Double) {
        guard density.type != .uniform, density.type != .fitted else { return nil }
        let masses = (0..<Self.bins).map { bin in
            density.shape(smallestTime + (1 - smallestTime) * (Double(bin) + 0.5) / Double(Self.bins))
        }
        self.init(masses: masses, smallestTime: smallestTime)
    }

    /// The time below which a share `u` of (0, 1) of the draws lies.
    func quantile(_ u: Double) -> Double {
        // The first bin whose end is above u: one that can be drawn, since an empty bin ends where the one before it does.
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
