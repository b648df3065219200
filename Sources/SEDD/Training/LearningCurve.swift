import Foundation

/// The course of a run as a picture, from the lines of its `metrics.jsonl`: `curve.svg`.
struct LearningCurve {
    /// What a line of the log says of a step.
    private struct Line: Decodable {
        let step: Int
        var loss, bound, validation: Double?
    }

    /// Points that a curve of training losses is averaged into: more would be noise.
    private static let points = 100

    private let lines: [Line]

    /// - Parameter metrics: `metrics.jsonl`; lines that are not of this form are left out.
    init(metrics: String) {
        let decoder = JSONDecoder()
        lines = metrics.split(separator: "\n").compactMap { try? decoder.decode(Line.self, from: Data($0.utf8)) }
    }

    /// The picture; nil where the log has nothing to show yet.
    func svg(title: String) -> String? {
        let validation = lines.compactMap { line in line.validation.map { (x: Double(line.step), y: $0) } }
        // Where the loss weighs times otherwise, the estimate of the bound is what compares with the validation.
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

    /// Means of neighbouring points, at the mean of their steps.
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
