import Files
import Foundation
import Torch

/// `metrics.jsonl` (one object per line) and the same numbers as TensorBoard events.
final class MetricsLog {
    private let handle: FileHandle
    private let events: EventFileWriter
    private let path: String
    /// Steps whose validation was logged before this start.
    private let validated: Set<Int>

    /// Opens the logs of `run` to continue after `step`; lines of later steps, left by a killed run, are dropped.
    init(_ run: RunFolder, after step: Int) throws {
        path = run.metricsFile.path
        let kept =
            try step == 0 ? [] : Self.lines(run.metricsFile).filter { Self.step(of: $0).map { $0 <= step } ?? false }
        validated = Set(kept.filter { $0.contains("\"validation\":") }.compactMap(Self.step))
        try OutputFile.write(Array(kept.map { $0 + "\n" }.joined().utf8), to: run.metricsFile)
        handle = try FileHandle(forWritingTo: run.metricsFile)
        try handle.seekToEnd()
        events = try EventFileWriter(folder: run.url, resumingAfter: step > 0 ? step : nil)
    }

    deinit { try? handle.close() }

    func hasValidation(step: Int) -> Bool { validated.contains(step) }

    /// Adds a line; `values` also go to TensorBoard under `group/name`.
    func add(step: Int, _ values: [(name: String, value: Double)], group: String) throws {
        let fields = ["\"step\":\(step)"] + values.map { "\"\($0.name)\":\(Self.number($0.value))" }
        do { try handle.write(contentsOf: Data("{\(fields.joined(separator: ","))}\n".utf8)) } catch {
            throw SEDDError(.cannotWrite, "\(path): cannot write: \(error.localizedDescription); free space and resume")
        }
        for (name, value) in values { try events.scalar("\(group)/\(name)", value, step: step) }
    }

    /// Adds the metrics of a step.
    func add(_ metrics: Trainer.StepMetrics) throws {
        try add(
            step: metrics.step,
            [("loss", metrics.loss)] + (metrics.bound.map { [("bound", $0)] } ?? []) + [
                ("gradient_norm", metrics.gradientNorm), ("learning_rate", metrics.rate),
                ("tokens_per_second", metrics.tokensPerSecond),
            ], group: "train")
    }

    /// Adds a text to TensorBoard.
    func add(step: Int, sample: String) throws {
        // TensorBoard renders Markdown: four spaces make a line literal.
        let literal = sample.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
        try events.text("samples", literal.joined(separator: "\n"), step: step)
    }

    private static func lines(_ file: URL) throws(FileError) -> [Substring] {
        guard FileSystem.exists(file) else { return [] }
        let bytes = try FileSystem.contents(of: file, limit: 1 << 32)
        // A damaged line must not cost the others.
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    private static func step(of line: Substring) -> Int? {
        guard case .object(let fields) = try? JSON.parse(Array(line.utf8), source: "metrics"),
            case .integer(let step) = fields["step"]
        else { return nil }
        return step
    }

    private static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }
}
