import CoreMetrics
import Synchronization

/// The process's metrics in Prometheus' text format; a backend of swift-metrics.
final class PrometheusRegistry: MetricsFactory {
    /// The registry of this process; swift-metrics reports to it from its first use on.
    static let shared: PrometheusRegistry = {
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        return registry
    }()

    private struct Key: Hashable {
        let name: String
        let labels: String
    }

    private let series = Mutex<[Key: any PrometheusSeries]>([:])

    /// The series with that name and those dimensions, created by `make` on first use.
    private func found<Series: PrometheusSeries>(
        _ name: String, _ dimensions: [(String, String)], _ make: () -> Series
    ) -> Series {
        let labels = dimensions.map { "\(Self.word($0.0))=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        let key = Key(name: Self.word(name), labels: labels)
        return series.withLock { series in
            if let known = series[key] as? Series { return known }
            let made = make()
            series[key] = made
            return made
        }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        found(label, dimensions) { CounterSeries() }
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        found(label, dimensions) { GaugeSeries() }
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? found(label, dimensions) { HistogramSeries.of(label) } : found(label, dimensions) { GaugeSeries() }
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        found(label + "_seconds", dimensions) { HistogramSeries.seconds() }
    }

    // Series live as long as the process; their number is bounded by the metric names and routes in the code.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    /// All series, by name.
    func text() -> String {
        let all = series.withLock { $0 }.sorted { ($0.key.name, $0.key.labels) < ($1.key.name, $1.key.labels) }
        var lines: [String] = []
        var last = ""
        for (key, series) in all {
            let name = key.name + (series.type == "counter" ? "_total" : "")
            if name != last { lines.append("# TYPE \(name) \(series.type)") }
            last = name
            lines += series.lines(name, key.labels)
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func word(_ name: String) -> String {
        String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "_" })
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
