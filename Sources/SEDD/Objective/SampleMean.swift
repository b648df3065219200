import Foundation

/// The statistical error of a mean.
enum SampleMean {
    /// A mean and, if it has one, its standard error, as in reports: `4.21 ± 0.03`.
    static func text(_ mean: Double, _ error: Double?, digits: Int) -> String {
        let numbers = [mean, error].compactMap { $0.map { String(format: "%.\(digits)f", $0) } }
        return numbers.joined(separator: " ± ")
    }

    /// Standard error of the mean of independent values; nil for fewer than two.
    static func standardError(_ values: [Double]) -> Double? { standardError(groups: values.map { [$0] }) }

    /// Standard error of the mean of all values if only the groups are independent, like the tokens of several texts:
    /// that of a ratio of sums, by the delta method. Nil for fewer than two groups.
    static func standardError(groups: [[Double]]) -> Double? {
        guard groups.count > 1 else { return nil }
        let total = Double(groups.reduce(0) { $0 + $1.count })
        let mean = groups.joined().reduce(0, +) / total
        let squares = groups.reduce(0.0) { sum, values in
            let residual = values.reduce(0, +) - mean * Double(values.count)
            return sum + residual * residual
        }
        let count = Double(groups.count)
        return (squares * count / (count - 1)).squareRoot() / total
    }
}
