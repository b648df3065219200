import Files
import Foundation
import Testing
import Torch

@testable import SEDD

@Suite struct MauveTests {
    /// Given two histograms the score has no randomness: figures of the published package, version 0.4.0.
    @Test(arguments: [
        ([0.5, 0.3, 0.2], [0.2, 0.3, 0.5], 0.8214099836116461),
        ([0.5, 0.5, 0], [0.25, 0.25, 0.5], 0.27811372536724027),
        ([0.7, 0.3, 0, 0], [0, 0, 0.4, 0.6], 0.004072096261961257),
        ([0.1, 0.2, 0.3, 0.4], [0.11, 0.19, 0.31, 0.39], 0.9999956299788622),
    ]) func scoreOfHistograms(p: [Double], q: [Double], expected: Double) {
        #expect(abs(Mauve.score(p, q) - expected) < 1e-12)
        #expect(abs(Mauve.score(q, p) - expected) < 1e-12)
        #expect(abs(Mauve.score(p, p) - 1) < 1e-12)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let shift, spread: Double
        /// Mean and deviation of the published package over its seeds 0 to 99, and the components that it keeps.
        let mean, deviation: Double
        let components: Int
        var testDescription: String { name }
    }

    static let table: [Case] = [
        Case(name: "one law", shift: 0, spread: 1, mean: 0.964961, deviation: 0.011745, components: 10),
        Case(name: "shifted", shift: 0.5, spread: 1, mean: 0.245357, deviation: 0.042121, components: 11),
        Case(name: "wider", shift: 0, spread: 1.6, mean: 0.826091, deviation: 0.051998, components: 12),
        Case(name: "no overlap", shift: 3, spread: 1, mean: 0.004072096, deviation: 0, components: 9),
    ]

    /// 300 vectors of width 16: six clusters, sums of three uniform numbers around them.
    private func features(_ seed: UInt64, _ item: Case?) -> [[Double]] {
        var state = seed
        func uniform() -> Double {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return Double((z ^ z >> 31) >> 11) / 9007199254740992
        }
        return (0..<300).map { _ in
            let cluster = Int(uniform() * 6)
            return (0..<16).map { j in
                let centre = Double((cluster * 7 + j * 3) % 5 - 2) * 0.6
                let noise = uniform() + uniform() + uniform() - 1.5
                return centre + noise * (1 + 0.1 * Double(j % 4)) * (item?.spread ?? 1)
                    + (j % 3 == 0 ? item?.shift ?? 0 : 0)
            }
        }
    }

    /// On equal vectors the mean over 100 seeds agrees with the published package's within three standard errors of the
    /// two, and so within its own spread over seeds. Both are deterministic, so there are no false alarms.
    @Test(arguments: table) func agreesWithThePublishedPackage(item: Case) throws {
        let (p, q) = (features(1, nil), features(2, item))
        #expect(abs(p[0][0] - 0.06114372790526945) < 1e-15)
        let found = try Mauve.compare(p, q, seeds: 100)
        print("MAUVE \(item.name): \(found.score) ± \(found.deviation), published \(item.mean) ± \(item.deviation)")
        #expect(found.components == item.components && found.buckets == 30)
        let error = (item.deviation * item.deviation + found.deviation * found.deviation).squareRoot() / 10
        #expect(abs(found.score - item.mean) < 3 * error + 1e-6, "\(found.score), published \(item.mean)")
        #expect(abs(found.score - item.mean) < item.deviation + 1e-6)
    }

    @Test func whatCannotBeCompared() throws {
        let good = features(1, nil)
        for (p, word) in [
            (Array(good.prefix(19)), "too few"), ([[Double]](repeating: [1], count: 30), "one width"),
            ([[Double]](repeating: [Double](repeating: .nan, count: 16), count: 30), "not finite"),
        ] {
            let error = #expect(throws: SEDDError.self) { try Mauve.compare(p, good) }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "none")")
        }
        // Fewer points than clusters, all equal: a single cluster contains them.
        let alike = try Mauve.compare(
            [[Double]](repeating: [1, 2], count: 20), [[Double]](repeating: [1, 2], count: 20))
        #expect(abs(alike.score - 1) < 1e-12 && alike.deviation < 1e-12)
    }
}
