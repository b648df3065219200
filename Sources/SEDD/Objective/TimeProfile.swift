/// Losses of a run by time, and the density of times fitted to them.
///
/// With weights of 1 / p the variance of a gradient estimate is minimal for p(t) proportional to sqrt(E[loss^2 | t]),
/// with the objective's losses standing in for gradient norms, which would cost a pass each. The density is refitted at
/// fixed intervals, and half of the statistics is forgotten each time. All of it is part of a checkpoint, so a resumed
/// run draws the same times.
struct TimeProfile: Sendable, Codable, Equatable {
    /// Number of equal bins of smallestTime...1.
    static let bins = 32
    /// Fraction of the draws that stays uniform, so that every time keeps being measured and weights are bounded by its
    /// inverse.
    static let uniformShare = 0.2

    /// Sum of squared losses (nats per token) and count, by bin; both halved after each fit.
    private(set) var squares = [Double](repeating: 0, count: bins)
    private(set) var counts = [Double](repeating: 0, count: bins)
    /// Mass of each bin under the current density; equal before the first fit.
    private(set) var masses = [Double](repeating: 1, count: bins)

    /// Records a sequence.
    ///
    /// - Parameter loss: times the objective's weight, but not the correction for the density; nats per token.
    mutating func add(time: Double, loss: Double, smallestTime: Double) {
        let place = (time - smallestTime) / (1 - smallestTime) * Double(Self.bins)
        let bin = min(max(Int(place), 0), Self.bins - 1)
        squares[bin] += loss * loss
        counts[bin] += 1
    }

    /// Fits the density to the statistics; bins without a measurement get the mean of the others.
    mutating func fit() {
        let deviations = zip(squares, counts).map { $1 > 0 ? ($0 / $1).squareRoot() : nil }
        let known = deviations.compactMap { $0 }
        let mean = known.reduce(0, +) / Double(max(1, known.count))
        guard mean > 0, mean.isFinite else { return }
        masses = deviations.map { Self.uniformShare + (1 - Self.uniformShare) * ($0 ?? mean) / mean }
        squares = squares.map { $0 / 2 }
        counts = counts.map { $0 / 2 }
    }

    /// The current density.
    func table(smallestTime: Double) -> TimeTable { TimeTable(masses: masses, smallestTime: smallestTime) }
}
