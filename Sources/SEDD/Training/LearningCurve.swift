import Foundation

/// Draws the progress of a run, `curve.svg`, from its `metrics.jsonl`.
struct LearningCurve {
    /// A line of the log: the metrics of a step.
    private struct Line: Decodable {
        let step: Int
        var loss, bound, validation: Double?
    }

    /// Number of points to which training losses are averaged; more would show only noise.
    private static let points = 100

    private let lines: [Line]

    /// - Parameter metrics: `metrics.jsonl`; other lines are ignored.
    init(metrics: String) {
        let decoder = JSONDecoder()
        lines = metrics.split(separator: "\n").compactMap { try? decoder.decode(Line.self, from: Data($0.utf8)) }
    }

    /// The plot as SVG; nil if the log has nothing to show yet.
    func svg(title: String) -> String? {
        let validation = lines.compactMap { line in line.validation.map { (x: Double(line.step), y: $0) } }
        // If the loss has another time weighting, the estimate of the bound is comparable with validation.
        let isWeighted = lines.contains { $0.bound != nil }
        let losses = lines.compactMap { line in
            (isWeighted ? line.bound : line.loss).map { (x: Double(line.step), y: $0) }
        }
        guard !validation.isEmpty || !losses.isEmpty else { return nil }
        return SVGPlot(
            title: title, xLabel: "step", yLabel: "nats per token", isLogX: false, isLogY: false,
            series: [
                .init(name: isWeighted ? "training, bound" : "training loss", points: averaged(losses), hasDots: false),
                .init(name: "held-out", points: validation),
            ].filter { !$0.points.isEmpty }
        ).svg()
    }

    /// Means of neighbouring points, at their mean step.
    private func averaged(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
        let size = (points.count + Self.points - 1) / Self.points
        return stride(from: 0, to: points.count, by: max(1, size)).map { start in
            let part = points[start..<min(start + size, points.count)]
            return (
                part.reduce(0) { $0 + $1.x } / Double(part.count), part.reduce(0) { $0 + $1.y } / Double(part.count)
            )
        }
    }
}
