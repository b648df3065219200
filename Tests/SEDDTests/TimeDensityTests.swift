import Foundation
import Testing

@testable import SEDD

struct TimeDensityTests {
    static let smallest = 1e-3

    private static func density(
        _ type: TimeDensity.Kind, mean: Double = 0.5, width: Double = 0.25, _ correction: TimeDensity.Correction = .none
    ) -> TimeDensity {
        var made = TimeDensity()
        (made.type, made.mean, made.width, made.correction) = (type, mean, width, correction)
        return made
    }

    static let shapes = [
        density(.normal), density(.normal, mean: 0.3, width: 0.1), density(.normal, mean: 0.9, width: 2),
        density(.beta), density(.beta, mean: 0.35, width: 0.2), density(.beta, mean: 0.2, width: 0.3),
        density(.window, mean: 0.5, width: 0.45), density(.window, mean: 0.9, width: 0.3),
    ]

    /// The quantile function is the inverse of the integral of the shape, by a fine midpoint rule that does not use the bins.
    @Test(arguments: shapes) func quantilesAreThoseOfTheIntegral(_ density: TimeDensity) throws {
        let table = try #require(TimeTable(density, smallestTime: Self.smallest))
        let parts = 400_000
        func time(_ part: Double) -> Double { Self.smallest + (1 - Self.smallest) * part / Double(parts) }
        var sums = [0.0]
        for part in 0..<parts { sums.append(sums[part] + density.shape(time(Double(part) + 0.5))) }
        let total = sums[parts]
        for u in [0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999] {
            let t = table.quantile(u)
            let place = Int((t - Self.smallest) / (1 - Self.smallest) * Double(parts))
            // A bin's density is that of its middle: masses are off by its curvature, most for the poles of a Beta distribution.
            #expect(abs(sums[place] / total - u) < 3e-3, "u \(u): t \(t) has \(sums[place] / total) below it")
        }
        #expect(table.quantile(0) >= Self.smallest && table.quantile(1 - 1e-16) <= 1)
        #expect(
            zip(0..<1000, 1...1000).allSatisfy {
                table.quantile(Double($0) / 1001) <= table.quantile(Double($1) / 1001)
            })
    }

    /// Fractions of 100,000 draws in each tenth of the time, against the density of the table. A fraction's deviation is below 0.0016;
    /// six of them allow one false alarm in 10^7 runs.
    @Test(arguments: shapes) func drawsFollowTheDensity(_ density: TimeDensity) throws {
        let table = try #require(TimeTable(density, smallestTime: Self.smallest))
        let stream = RandomStream(seed: 4, purpose: .times)
        var shares = [Double](repeating: 0, count: 10), expected = shares
        for draw in 0..<100_000 {
            let t = table.quantile(stream.uniform(step: 1, sequence: draw))
            #expect(table.density(t) > 0)
            shares[min(9, Int((t - Self.smallest) / (1 - Self.smallest) * 10))] += 1e-5
            let even = (Double(draw) + 0.5) / 100_000
            expected[Int(even * 10)] += table.density(Self.smallest + (1 - Self.smallest) * even) * 1e-5
        }
        for (tenth, (share, mass)) in zip(shares, expected).enumerated() {
            #expect(abs(share - mass) < 0.01, "tenth \(tenth): \(share), expected \(mass)")
        }
    }

    /// Weights of 1 / p estimate the uniform integral whatever the density is, those of 1 / sqrt(p) and none do not.
    @Test(arguments: [
        density(.normal), density(.normal, mean: 0.3, width: 0.2), density(.beta, mean: 0.4, width: 0.25),
    ])
    func fullCorrectionIsUnbiased(_ shape: TimeDensity) throws {
        let losses: [(String, (Double) -> Double)] = [
            ("1", { _ in 1 }), ("t", { $0 }), ("1 / t", { 1 / $0 }), ("steps", { Double(Int($0 * 7)) }),
        ]
        let table = try #require(TimeTable(shape, smallestTime: Self.smallest))
        var training = TrainingConfiguration.Training()
        training.timeDensity = shape
        let count = 2_000_000
        var shifts: [Double] = []
        for (name, loss) in losses {
            func estimate(_ correction: TimeDensity.Correction) -> Double {
                training.timeDensity.correction = correction
                return (0..<count).reduce(0.0) { sum, draw in
                    let t = table.quantile((Double(draw) + 0.5) / Double(count))
                    return sum + training.weight(time: t, density: table.density(t)) * loss(t)
                } / Double(count)
            }
            let uniform =
                (0..<count).reduce(0.0) {
                    $0 + loss(Self.smallest + (1 - Self.smallest) * (Double($1) + 0.5) / Double(count))
                } / Double(count)
            #expect(abs(estimate(.full) / uniform - 1) < 1e-3, "\(name): \(estimate(.full)), expected \(uniform)")
            shifts.append(abs(estimate(.none) / uniform - 1))
        }
        #expect(shifts.max() ?? 0 > 0.02, "without a correction times weigh otherwise")
    }

    @Test func objectiveWeights() {
        var training = TrainingConfiguration.Training()
        #expect(training.weight(time: 0.3, density: 4) == 1)
        training.lossWeight = .time
        #expect(training.weight(time: 0.3, density: 4) == 0.6)
        training.timeDensity.correction = .root
        #expect(training.weight(time: 0.3, density: 4) == 0.3)
        training.timeDensity.correction = .full
        #expect(training.weight(time: 0.3, density: 4) == 0.15)
    }

    @Test func stratifiedTimesOfADensityAreOneInEachEquallyLikelyPart() throws {
        let table = try #require(TimeTable(Self.density(.normal), smallestTime: 0.1))
        let noising = Noising(graph: AbsorbingGraph(tokens: 4), noise: LogLinearNoise(), seed: 2, smallestTime: 0.1)
        let times = noising.times(step: 5, strata: 0..<8, of: 8, from: table)
        for (index, time) in times.enumerated() {
            #expect(time >= table.quantile(Double(index) / 8) && time <= table.quantile(Double(index + 1) / 8))
        }
        #expect(noising.times(step: 5, strata: 4..<8, of: 8, from: table) == Array(times[4...]))
    }
}
