import Files
import Foundation
import Torch

/// MAUVE (Pillutla et al. 2021): similarity of two sets of texts, from a model's hidden vectors: 1 for equal
/// distributions, near 0 for disjoint ones.
///
/// Vectors are normalized to length 1, projected on the principal components that explain nine tenths of the variance,
/// and clustered into a tenth as many clusters as the smaller set has vectors. The two cluster histograms define a
/// curve of divergences from their mixtures, and the score is the area under it. Published code uses another k-means
/// implementation and other random numbers; scores agree within the spread over seeds.
public struct Mauve: Sendable {
    /// The score and how it was computed.
    public struct Result: Sendable, Codable, Equatable {
        /// Mean over seeds.
        public let score: Double
        /// Standard deviation over seeds.
        public let deviation: Double
        /// Number of clusters.
        public let buckets: Int
        /// Number of principal components.
        public let components: Int
        /// Number of clustering runs, each with its own seed.
        public let seeds: Int
    }

    /// With fewer texts there are not two clusters of ten.
    public static let fewest = 20
    static let variance = 0.9
    static let scale = 5.0
    static let mixtures = 25

    /// Compares two sets of vectors.
    ///
    /// - Parameters:
    ///   - p: one vector per text.
    ///   - q: vectors of the other set, of equal width.
    ///   - seeds: clustering runs with different initial clusters.
    /// - Throws: ``SEDDError`` of kind `usage` for too few texts, `diverged` if a vector is not finite.
    public static func compare(_ p: [[Double]], _ q: [[Double]], seeds: Int = 5, seed: UInt64 = 0) throws -> Result {
        try require(p.count, q.count)
        guard let width = p.first?.count, width > 0, (p + q).allSatisfy({ $0.count == width }),
            (p + q).joined().allSatisfy(\.isFinite)
        else { throw SEDDError(.diverged, "MAUVE: the vectors are not finite numbers of one width; check the model") }
        let data = try projected(q + p)
        let buckets = max(2, Int((Double(min(p.count, q.count)) / 10).rounded(.toNearestOrEven)))
        let scores = try (0..<max(1, seeds)).map { run -> Double in
            let labels = try Clusters.labels(data, count: buckets, seed: seed &+ UInt64(run))
            let parts = [labels.suffix(p.count), labels.prefix(q.count)].map { part -> [Double] in
                var histogram = [Double](repeating: 0, count: buckets)
                for label in part { histogram[label] += 1 / Double(part.count) }
                return histogram
            }
            return score(parts[0], parts[1])
        }
        let mean = scores.reduce(0, +) / Double(scores.count)
        let variance = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, scores.count - 1))
        return Result(
            score: mean, deviation: variance.squareRoot(), buckets: buckets, components: try data.shape[1],
            seeds: scores.count)
    }

    /// Checks that two sets are large enough.
    ///
    /// - Throws: ``SEDDError`` of kind `usage`.
    static func require(_ p: Int, _ q: Int) throws(SEDDError) {
        guard min(p, q) >= fewest else {
            throw SEDDError(
                .usage,
                "\(p) and \(q) texts are too few for MAUVE; expected \(fewest) or more of each, and hundreds for a score to trust"
            )
        }
    }

    /// The area under the curve (exp(-c KL(q | r)), exp(-c KL(p | r))) over mixtures r = w p + (1 - w) q, averaged over
    /// both integration axes.
    static func score(_ p: [Double], _ q: [Double]) -> Double {
        func divergence(_ a: [Double], _ b: [Double]) -> Double {
            zip(a, b).reduce(0) { sum, pair in
                pair.0 == 0 ? sum : pair.1 == 0 ? .infinity : sum + pair.0 * log(pair.0 / pair.1)
            }
        }
        var points: [(x: Double, y: Double)] = [(1, 0)]
        for index in 0..<mixtures {
            let w = 1e-6 + (1 - 2e-6) * Double(index) / Double(mixtures - 1)
            let r = zip(p, q).map { w * $0 + (1 - w) * $1 }
            points.append((exp(-scale * divergence(q, r)), exp(-scale * divergence(p, r))))
        }
        points.append((0, 1))
        func area(_ points: [(x: Double, y: Double)]) -> Double {
            let ordered = points.sorted { $0.x != $1.x ? $0.x < $1.x : $0.y > $1.y }
            return zip(ordered, ordered.dropFirst()).reduce(0) { $0 + ($1.1.x - $1.0.x) * ($1.1.y + $1.0.y) / 2 }
        }
        return (area(points) + area(points.map { ($0.y, $0.x) })) / 2
    }

    /// Rows normalized to length 1, centred and projected on the first principal components; [N, components], float64.
    static func projected(_ rows: [[Double]]) throws -> Tensor {
        let width = rows[0].count
        let scaled = rows.map { row -> [Double] in
            let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return norm > 0 ? row.map { $0 / norm } : row
        }
        let x = try Tensor(scaled.flatMap { $0 }, shape: [rows.count, width])  // [N, d]
        let centred = try x - x.sum(0, keep: true) * (1 / Double(rows.count))  // [N, d]
        let (values, vectors) = try centred.transposed(0, 1).matmul(centred).symmetricEigen()  // [d], [d, d]
        let variances = try values.array(Double.self).reversed().map { max(0, $0) }
        let total = variances.reduce(0, +)
        var sum = 0.0
        let last = variances.firstIndex {
            sum += $0
            return sum >= variance * total
        }
        let count = (last ?? 0) + 1
        return try centred.matmul(vectors.narrowed(1, from: width - count, length: count))  // [N, components]
    }
}
