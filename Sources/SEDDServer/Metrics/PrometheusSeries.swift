import CoreMetrics
import Synchronization

/// One series: a name with its labels.
protocol PrometheusSeries: Sendable {
    /// Prometheus' name of its type.
    var type: String { get }
    /// Its lines in Prometheus' text format.
    func lines(_ name: String, _ labels: String) -> [String]
}

private func line(_ name: String, _ labels: String, _ value: some CustomStringConvertible) -> String {
    "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(value)"
}

/// A counter: a number that only increases.
final class CounterSeries: PrometheusSeries, CounterHandler {
    private let value = Atomic<Int64>(0)
    let type = "counter"

    func increment(by amount: Int64) { value.add(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }
    func lines(_ name: String, _ labels: String) -> [String] {
        [line(name, labels, value.load(ordering: .relaxed))]
    }
}

/// A gauge: a number that increases and decreases.
final class GaugeSeries: PrometheusSeries, MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)
    let type = "gauge"

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func lines(_ name: String, _ labels: String) -> [String] { [line(name, labels, value.withLock { $0 })] }
}

/// A histogram: counts of values up to each of several bounds.
final class HistogramSeries: PrometheusSeries, RecorderHandler, TimerHandler {
    private struct State {
        var counts: [Int]
        var sum = 0.0
        var count = 0
    }

    private let bounds: [Double]
    private let state: Mutex<State>
    let type = "histogram"

    private init(_ bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count)))
    }

    /// From a tenth of a millisecond to five minutes.
    static func seconds() -> HistogramSeries {
        HistogramSeries([1e-4, 1e-3, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300])
    }

    /// Bounds for the unit with which the name ends.
    static func of(_ label: String) -> HistogramSeries {
        if label.hasSuffix("_milliseconds") {
            return HistogramSeries([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000])
        }
        if label.hasSuffix("_per_token") {
            return HistogramSeries([0, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 4, 8])
        }
        return HistogramSeries([1, 2, 4, 8, 16, 32, 64, 128, 256])
    }

    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func record(_ value: Double) {
        state.withLock { state in
            for (place, bound) in bounds.enumerated() where value <= bound { state.counts[place] += 1 }
            state.sum += value
            state.count += 1
        }
    }

    func lines(_ name: String, _ labels: String) -> [String] {
        let state = state.withLock { $0 }
        func with(_ bound: String) -> String { (labels.isEmpty ? "" : labels + ",") + "le=\"\(bound)\"" }
        return zip(bounds, state.counts).map { line("\(name)_bucket", with("\($0)"), $1) } + [
            line("\(name)_bucket", with("+Inf"), state.count), line("\(name)_sum", labels, state.sum),
            line("\(name)_count", labels, state.count),
        ]
    }
}
