/// The losses of a run by time, and the density of times that follows from them.
///
/// With weights of 1 / p the variance of a gradient estimate is least for p(t) in proportion to sqrt(E[loss^2 | t]); the losses
/// stand for the norms of the gradients, which cost a pass each. Fits are made at a fixed cadence from what has been measured,
/// and half of it is forgotten after each. It all is part of a checkpoint, so a resumed run draws the same times.
struct TimeProfile: Sendable, Codable, Equatable {
    /// Equally wide parts of smallestTime...1.
    static let bins = 32
    /// Share of the draws that stays uniform, so that every time goes on being measured and no weight exceeds its inverse.
    static let uniformShare = 0.2

    /// Squares of losses, nats per token, and how many, by bin; both halved after each fit.
    private(set) var squares = [Double](repeating: 0, count: bins)
    private(set) var counts = [Double](repeating: 0, count: bins)
    /// What the present density gives each bin; all alike before the first fit.
    private(set) var masses = [Double](repeating: 1, count: bins)

    /// Takes note of a sequence.
    ///
    /// - Parameter loss: not weighted; nats per token.
    mutating func add(time: Double, loss: Double, smallestTime: Double) {
        let place = (time - smallestTime) / (1 - smallestTime) * Double(Self.bins)
        let bin = min(max(Int(place), 0), Self.bins - 1)
        squares[bin] += loss * loss
        counts[bin] += 1
    }

    /// Fits the density to what was measured; bins without a measurement take the mean of the others.
    mutating func fit() {
        let deviations = zip(squares, counts).map { $1 > 0 ? ($0 / $1).squareRoot() : nil }
        let known = deviations.compactMap { $0 }
        let mean = known.reduce(0, +) / Double(max(1, known.count))
        guard mean > 0, mean.isFinite else { return }
        masses = deviations.map { Self.uniformShare + (1 - Self.uniformShare) * ($0 ?? mean) / mean }
        squares = squares.map { $0 / 2 }
        counts = counts.map { $0 / 2 }
    }

    /// The present density.
    func table(smallestTime: Double) -> TimeTable { TimeTable(masses: masses, smallestTime: smallestTime) }
}
