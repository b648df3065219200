import Foundation

/// Curves on logarithmic or linear axes, as SVG.
///
/// Hand-written, so that neither training nor a study requires a plotting program.
struct SVGPlot {
    struct Series {
        let name: String
        let points: [(x: Double, y: Double)]
        /// A constant level, drawn across the whole width.
        var isLevel = false
        /// Whether points are marked; curves of many points read better without marks.
        var hasDots = true
    }

    let title, xLabel, yLabel: String
    var isLogX = true
    var isLogY = true
    let series: [Series]

    private static let colours = ["#0b5fa5", "#c2410c", "#15803d", "#7e22ce", "#64748b", "#a16207", "#be123c"]
    private static let (width, height, left, right, top, bottom) = (720.0, 440.0, 70.0, 200.0, 40.0, 50.0)

    /// The plot as an SVG document.
    func svg() -> String {
        let xs = series.filter { !$0.isLevel }.flatMap { $0.points.map(\.x) }
        let ys = series.flatMap { $0.points.map(\.y) }.filter { !isLogY || $0 > 0 }
        guard let x0 = xs.min(), let x1 = xs.max(), let y0 = ys.min(), let y1 = ys.max() else {
            return "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n"
        }
        let xRange = range(x0, x1, log: isLogX), yRange = range(y0, y1, log: isLogY)
        func place(_ value: Double, _ range: (Double, Double), _ isLog: Bool) -> Double {
            ((isLog ? log(value) : value) - range.0) / (range.1 - range.0)
        }
        func x(_ value: Double) -> Double {
            Self.left + place(value, xRange, isLogX) * (Self.width - Self.left - Self.right)
        }
        func y(_ value: Double) -> Double {
            Self.height - Self.bottom - place(value, yRange, isLogY) * (Self.height - Self.top - Self.bottom)
        }
        func number(_ value: Double) -> String { String(format: "%.1f", value) }
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
            text(Self.left, 22, title, size: 15),
            text((Self.left + Self.width - Self.right) / 2, Self.height - 12, xLabel, anchor: "middle"),
            "<g transform=\"translate(16 \(Int(Self.height / 2))) rotate(-90)\">\(text(0, 0, yLabel, anchor: "middle"))</g>",
        ]
        for tick in ticks(x0, x1, log: isLogX) {
            parts.append(line(x(tick), Self.top, x(tick), Self.height - Self.bottom, "#e2e8f0"))
            parts.append(text(x(tick), Self.height - Self.bottom + 18, label(tick), anchor: "middle"))
        }
        for tick in ticks(y0, y1, log: isLogY) {
            parts.append(line(Self.left, y(tick), Self.width - Self.right, y(tick), "#e2e8f0"))
            parts.append(text(Self.left - 6, y(tick) + 4, label(tick), anchor: "end"))
        }
        for (index, item) in series.enumerated() {
            let colour = Self.colours[index % Self.colours.count]
            let points =
                item.isLevel ? item.points.flatMap { [(x0, $0.y), (x1, $0.y)] } : item.points.map { ($0.x, $0.y) }
            let path = points.map { "\(number(x($0.0))),\(number(y($0.1)))" }.joined(separator: " ")
            let dash = item.isLevel ? " stroke-dasharray=\"5 4\"" : ""
            parts.append("<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"\(dash)/>")
            if !item.isLevel, item.hasDots {
                parts += points.map {
                    "<circle cx=\"\(number(x($0.0)))\" cy=\"\(number(y($0.1)))\" r=\"3\" fill=\"\(colour)\"/>"
                }
            }
            let row = Self.top + 12 + Double(index) * 20
            parts.append(
                line(Self.width - Self.right + 12, row - 4, Self.width - Self.right + 34, row - 4, colour, 2, dash))
            parts.append(text(Self.width - Self.right + 40, row, item.name))
        }
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    private func range(_ low: Double, _ high: Double, log isLog: Bool) -> (Double, Double) {
        let (a, b) = isLog ? (log(low), log(high)) : (low, high)
        let margin = Self.isSpread(a, b) ? (b - a) * 0.05 : 0.5
        return (a - margin, b + margin)
    }

    /// Whether values differ enough for the ticks between them to be distinct numbers; closer ones are drawn as equal.
    private static func isSpread(_ low: Double, _ high: Double) -> Bool {
        high - low > 1e-9 * max(abs(low), abs(high)) && high - low > 1e-300 && (high - low).isFinite
    }

    /// Powers of two on a logarithmic axis, otherwise about five round numbers.
    private func ticks(_ low: Double, _ high: Double, log isLog: Bool) -> [Double] {
        if isLog {
            let powers = stride(from: log2(low).rounded(.up), through: log2(high), by: 1).map { pow(2, $0) }
            // A narrow range contains no power of two: label its ends.
            return powers.count >= 2 ? powers : [low, low.squareRoot() * high.squareRoot(), high]
        }
        guard Self.isSpread(low, high) else { return [low] }
        let raw = (high - low) / 5
        let unit = pow(10, log10(raw).rounded(.down))
        let step = [1.0, 2, 5, 10].first { $0 * unit >= raw }.map { $0 * unit } ?? raw
        return Array(stride(from: (low / step).rounded(.up) * step, through: high, by: step))
    }

    private func label(_ value: Double) -> String {
        value >= 10 || value == value.rounded() ? String(format: "%.0f", value) : String(format: "%.3g", value)
    }

    private func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, _ width: Int = 1, _ dash: String = ""
    ) -> String {
        let places = [x1, y1, x2, y2].map { String(format: "%.1f", $0) }
        return
            "<line x1=\"\(places[0])\" y1=\"\(places[1])\" x2=\"\(places[2])\" y2=\"\(places[3])\" stroke=\"\(colour)\" stroke-width=\"\(width)\"\(dash)/>"
    }

    private func text(_ x: Double, _ y: Double, _ text: String, anchor: String = "start", size: Int = 12) -> String {
        let escaped = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
        return
            "<text x=\"\(String(format: "%.1f", x))\" y=\"\(String(format: "%.1f", y))\" text-anchor=\"\(anchor)\" font-size=\"\(size)\">\(escaped)</text>"
    }
}
