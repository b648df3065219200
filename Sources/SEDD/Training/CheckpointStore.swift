import Files
public import Foundation
import Text
import Torch

/// The checkpoints of a run: `checkpoints/step-N/`, each a model folder plus `training/` and a manifest.
///
/// A checkpoint is written aside, synced and renamed, so one that has its name is whole; the last few and the best are
/// kept. `training/` holds the raw weights, the two moments and the step; the moving average is the model itself.
public struct CheckpointStore: Sendable {
    let folder: URL

    /// - Parameter run: the run folder.
    public init(run: URL) { folder = run.appending(path: "checkpoints") }

    struct Progress: Codable, Equatable {
        var step: Int
        var best: TrainingState.Best?
    }

    /// The folder of the checkpoint of `step`.
    public func url(step: Int) -> URL { folder.appending(path: "step-\(step)") }

    /// Steps that have a whole checkpoint, rising.
    public func steps() -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.compactMap { $0.hasPrefix("step-") ? Int($0.dropFirst(5)) : nil }.sorted()
    }

    /// Writes the checkpoint of `state` and removes those that are no longer kept.
    ///
    /// - Parameter writeModel: writes the moving average as a model folder.
    /// - Throws: ``SEDDError`` or `TorchError` of kind `cannotWrite`; what was there before is still whole then.
    func save(
        _ state: TrainingState, tokenizer: any Tokenizer, keep: Int, writeModel: (URL) throws -> Void
    ) throws -> URL {
        try FileSystem.createFolder(folder)
        let partial = folder.appending(path: ".step-\(state.step).partial")
        try? FileManager.default.removeItem(at: partial)
        do {
            try writeModel(partial)
            try tokenizer.write(to: partial)
            let training = partial.appending(path: "training")
            try FileSystem.createFolder(training)
            for (name, weights) in Self.parts(of: state) {
                try Safetensors.write(weights.named, to: training.appending(path: name + ".safetensors"))
            }
            let progress = try JSONEncoder().encode(Progress(step: state.step, best: state.best))
            try OutputFile.write([UInt8](progress), to: training.appending(path: "progress.json"))
            try Manifest(of: partial).write(to: partial)
        } catch {
            try? FileManager.default.removeItem(at: partial)
            throw error
        }
        let target = url(step: state.step)
        try? FileManager.default.removeItem(at: target)
        guard rename(partial.path, target.path) == 0 else {
            throw SEDDError(
                .cannotWrite,
                "\(target.path): cannot rename the finished checkpoint there; check the folder's permissions")
        }
        try Self.sync(folder)
        try point(to: target)
        prune(keep: keep, best: state.best?.step)
        return target
    }

    /// Loads the newest checkpoint into `state`; nil where there is none.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` where a file is not what was saved.
    func restoreLatest(into state: inout TrainingState) throws -> URL? {
        guard let step = steps().last else { return nil }
        let source = url(step: step)
        try Manifest.verify(source)
        let training = source.appending(path: "training")
        try state.average.load(source.appending(path: "model.safetensors"))
        for (name, weights) in Self.parts(of: state) {
            try weights.load(training.appending(path: name + ".safetensors"))
        }
        let progress = try JSON.decode(Progress.self, contentsOf: training.appending(path: "progress.json"))
        state.step = progress.step
        state.best = progress.best
        return source
    }

    private static func parts(of state: TrainingState) -> [(String, Weights)] {
        [("weights", state.weights), ("moment1", state.moment1), ("moment2", state.moment2)]
    }

    /// `last` is a link to the newest checkpoint.
    private func point(to target: URL) throws {
        let link = folder.appending(path: "last")
        let aside = folder.appending(path: ".last.partial")
        try? FileManager.default.removeItem(at: aside)
        guard symlink(target.lastPathComponent, aside.path) == 0, rename(aside.path, link.path) == 0 else {
            throw SEDDError(.cannotWrite, "\(link.path): cannot make the link to the newest checkpoint")
        }
    }

    private func prune(keep: Int, best: Int?) {
        for step in steps().dropLast(keep) where step != best {
            try? FileManager.default.removeItem(at: url(step: step))
        }
    }

    private static func sync(_ folder: URL) throws {
        let descriptor = open(folder.path, O_RDONLY)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw SEDDError(.cannotWrite, "\(folder.path): cannot sync the folder: \(String(cString: strerror(errno)))")
        }
    }
}
