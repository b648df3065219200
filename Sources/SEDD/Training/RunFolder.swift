package import Files
public import Foundation
import Torch

/// Where a run keeps what it makes: `run.yaml`, `metrics.jsonl`, `curve.svg`, TensorBoard events, `samples/`, `checkpoints/`.
public struct RunFolder: Sendable {
    public let url: URL

    /// - Parameter url: the folder, which need not exist yet.
    public init(_ url: URL) { self.url = url }

    var configurationFile: URL { url.appending(path: "run.yaml") }
    var metricsFile: URL { url.appending(path: "metrics.jsonl") }
    /// The checkpoints of the run.
    public var checkpoints: CheckpointStore { CheckpointStore(run: url) }

    /// Whether a run was started here.
    public var exists: Bool { FileManager.default.fileExists(atPath: configurationFile.path) }

    /// The resolved configuration that the run here last used.
    public func configuration() throws -> TrainingConfiguration {
        try ConfigurationFile.resolve(contentsOf: configurationFile)
    }

    /// What else the run here last used; nil for runs of versions that did not say.
    public func record() throws -> RunRecord? { try RunFile(contentsOf: configurationFile).record }

    /// Checks that no run was started here.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where one was.
    public func requireNone() throws(SEDDError) {
        guard !exists else {
            throw SEDDError(
                .usage, "\(url.path): a run is here already; continue it with --resume or choose another --output")
        }
    }

    /// Makes the folder, and keeps other processes out of it for as long as the lock is held.
    ///
    /// - Throws: `FileError` of kind `cannotWrite`, naming the process that trains here.
    package func lock() throws -> FileLock {
        try FileSystem.createFolder(url)
        return try FileLock(url.appending(path: ".lock"), what: "a process is training here")
    }

    /// Starts a run: makes the folder and writes `run.yaml`.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where a run is here already, `cannotWrite` where the folder cannot be made.
    public func create(_ configuration: TrainingConfiguration, _ record: RunRecord? = nil) throws {
        try requireNone()
        try FileSystem.createFolder(url)
        try update(configuration, record)
    }

    /// Writes what the run uses from now on to `run.yaml`.
    public func update(_ configuration: TrainingConfiguration, _ record: RunRecord?) throws {
        try RunFile(configuration: configuration, record: record).write(to: configurationFile)
    }

    /// Notes in `run.yaml` that there is a checkpoint to go on from.
    func noteSaved(_ configuration: TrainingConfiguration) throws {
        guard var record = try record(), !record.saved else { return }
        record.saved = true
        try update(configuration, record)
    }

    func sampleFile(step: Int) -> URL { url.appending(path: "samples/step-\(step).txt") }

    func hasSample(step: Int) -> Bool { FileSystem.exists(sampleFile(step: step)) }

    /// Draws `curve.svg` anew from the lines of `metrics.jsonl`.
    func drawCurve() throws {
        guard let metrics = try? String(contentsOf: metricsFile, encoding: .utf8),
            let svg = LearningCurve(metrics: metrics).svg(title: url.lastPathComponent)
        else { return }
        try OutputFile.write(Array(svg.utf8), to: url.appending(path: "curve.svg"))
    }

    /// Keeps a sample of `step`.
    public func write(sample: String, step: Int) throws {
        try OutputFile.write(Array(sample.utf8), to: sampleFile(step: step))
    }
}
