package import Files
public import Foundation
import Torch

/// The folder of a run: `run.yaml`, `metrics.jsonl`, `curve.svg`, TensorBoard events, `samples/`, `checkpoints/`.
public struct RunFolder: Sendable {
    /// Location of the folder.
    public let url: URL

    /// - Parameter url: the folder, which need not exist.
    public init(_ url: URL) { self.url = url }

    var configurationFile: URL { url.appending(path: "run.yaml") }
    var metricsFile: URL { url.appending(path: "metrics.jsonl") }
    /// The checkpoints of the run.
    public var checkpoints: CheckpointStore { CheckpointStore(run: url) }

    /// Whether the folder contains a run.
    public var exists: Bool { FileManager.default.fileExists(atPath: configurationFile.path) }

    /// The resolved configuration that the run used last.
    public func configuration() throws -> TrainingConfiguration {
        try ConfigurationFile.resolve(contentsOf: configurationFile)
    }

    /// The record of what else the run used last; nil for runs of older versions.
    public func record() throws -> RunRecord? { try RunFile(contentsOf: configurationFile).record }

    /// The names that a run writes beside `run.yaml`, whatever they hold now.
    private static let ownNames = ["checkpoints", "metrics.jsonl", "curve.svg", "samples"]

    /// Checks that the folder contains neither a run nor anything that a new run would replace or continue.
    ///
    /// Checkpoints without the `run.yaml` that says what their weights mean are not resumed.
    /// - Throws: ``SEDDError`` of kind `usage` if it does.
    public func requireNone() throws(SEDDError) {
        guard !exists else {
            throw SEDDError(
                .usage, "\(url.path): already contains a run; continue it with --resume or choose another --output")
        }
        // lstat: a dangling link would be replaced too.
        var information = stat()
        let taken = Self.ownNames.first { lstat(url.appending(path: $0).path, &information) == 0 }
        if let taken {
            throw SEDDError(
                .usage,
                "\(url.path): contains \(taken) but no run.yaml; choose another --output, or put back the run.yaml of that run"
            )
        }
    }

    /// Creates the folder, and locks it against other processes while the lock is held.
    ///
    /// - Throws: `FileError` of kind `cannotWrite` that names the process training in it.
    package func lock() throws -> FileLock {
        try FileSystem.createFolder(url)
        return try FileLock(url.appending(path: ".lock"), what: "a process is training here")
    }

    /// Starts a run: creates the folder and writes `run.yaml`.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if the folder already contains a run, `cannotWrite` if it cannot be
    ///   created.
    public func create(_ configuration: TrainingConfiguration, _ record: RunRecord? = nil) throws {
        try requireNone()
        try FileSystem.createFolder(url)
        try update(configuration, record)
    }

    /// Updates `run.yaml` with what the run uses from now on.
    public func update(_ configuration: TrainingConfiguration, _ record: RunRecord?) throws {
        try RunFile(configuration: configuration, record: record).write(to: configurationFile)
    }

    /// Records in `run.yaml` that there is a checkpoint to resume from.
    func noteSaved(_ configuration: TrainingConfiguration) throws {
        guard var record = try record(), !record.saved else { return }
        record.saved = true
        try update(configuration, record)
    }

    func sampleFile(step: Int) -> URL { url.appending(path: "samples/step-\(step).txt") }

    func hasSample(step: Int) -> Bool { FileSystem.exists(sampleFile(step: step)) }

    /// Redraws `curve.svg` from `metrics.jsonl`.
    func drawCurve() throws {
        guard let metrics = try? FileSystem.contents(of: metricsFile, limit: 1 << 32),
            let svg = LearningCurve(metrics: String(decoding: metrics, as: UTF8.self))
                .svg(title: url.lastPathComponent)
        else { return }
        try OutputFile.write(Array(svg.utf8), to: url.appending(path: "curve.svg"))
    }

    /// Stores a sample at `step`.
    public func write(sample: String, step: Int) throws {
        try OutputFile.write(Array(sample.utf8), to: sampleFile(step: step))
    }
}
