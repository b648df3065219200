import Files
public import Foundation
import Torch

/// Where a run keeps what it makes: `run.yaml`, `metrics.jsonl`, TensorBoard events, `samples/`, `checkpoints/`.
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

    /// The resolved configuration of the run here.
    public func configuration() throws -> TrainingConfiguration {
        try ConfigurationFile.resolve(contentsOf: configurationFile)
    }

    /// Checks that no run was started here.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where one was.
    public func requireNone() throws(SEDDError) {
        guard !exists else {
            throw SEDDError(
                .usage, "\(url.path): a run is here already; continue it with --resume or choose another --output")
        }
    }

    /// Starts a run: makes the folder and writes `run.yaml`.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where a run is here already, `cannotWrite` where the folder cannot be made.
    public func create(_ configuration: TrainingConfiguration) throws {
        try requireNone()
        try FileSystem.createFolder(url)
        try OutputFile.write(Array(ConfigurationFile.yaml(configuration).utf8), to: configurationFile)
    }

    /// Keeps a sample of `step`.
    public func write(sample: String, step: Int) throws {
        let folder = url.appending(path: "samples")
        try FileSystem.createFolder(folder)
        try OutputFile.write(Array(sample.utf8), to: folder.appending(path: "step-\(step).txt"))
    }
}
