import Files
public import Foundation
import Text
import Torch

/// The checkpoints of a run: `checkpoints/step-N/`, each a model folder plus `training/` and a manifest.
///
/// Checkpoints are written to a temporary folder, synced and renamed, so a checkpoint with its final name is complete;
/// the last few and the best are kept. `training/` holds the raw weights, the optimizer's arrays by name and the step;
/// the moving average is the model itself.
public struct CheckpointStore: Sendable {
    private static let progressFile = "training/progress.json"
    let folder: URL

    /// - Parameter run: the run folder.
    public init(run: URL) { folder = run.appending(path: "checkpoints") }

    struct Progress: Codable, Equatable {
        var step: Int
        var best: TrainingState.Best?
        /// Absent in checkpoints of runs without a fitted density.
        var times: TimeProfile?
    }

    /// The folder of the checkpoint at `step`.
    public func url(step: Int) -> URL { folder.appending(path: "step-\(step)") }

    /// Steps with a complete checkpoint, ascending.
    public func steps() -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.compactMap(Self.step(of:)).sorted()
    }

    /// The newest checkpoint whose `file` is that of its manifest; the newest of all if none is; nil if there is none.
    public func newest(withIntact file: String) -> URL? { intact(file) ?? steps().last.map(url) }

    /// The newest checkpoint whose `file` is that of its manifest.
    private func intact(_ file: String) -> URL? {
        steps().reversed().lazy.map(url).first { (try? Manifest.verify($0) { $0 == file }) != nil }
    }

    /// The step in the name of a checkpoint's folder; nil for other names.
    private static func step(of name: String) -> Int? {
        guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), step >= 0, name == "step-\(step)" else {
            return nil
        }
        return step
    }

    /// The kept checkpoint with the lowest held-out loss, nats per token, as the newest intact record says; nil if none
    /// was measured.
    public func best() -> (step: Int, validation: Double)? {
        let record = intact(Self.progressFile)?.appending(path: Self.progressFile)
        let progress = try? record.map { try JSON.decode(Progress.self, contentsOf: $0) }
        guard let best = progress?.best, FileSystem.exists(url(step: best.step)) else { return nil }
        return (best.step, best.validation)
    }

    /// Writes a checkpoint of `state`, and removes those not to be kept.
    ///
    /// - Parameter writeModel: writes the moving average as a model folder.
    /// - Throws: ``SEDDError`` or `TorchError` of kind `cannotWrite`; existing checkpoints then remain complete.
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
            let progress = try JSON.encode(
                Progress(
                    step: state.step, best: state.best, times: state.times == TimeProfile() ? nil : state.times))
            try OutputFile.write(progress, to: partial.appending(path: Self.progressFile))
            try Manifest(of: partial).write(to: partial)
        } catch {
            try? FileManager.default.removeItem(at: partial)
            throw error
        }
        let target = url(step: state.step)
        try replace(target, by: partial)
        try point(to: target)
        prune(upTo: state.step, keep: keep, best: state.best?.step)
        return target
    }

    /// Loads the newest intact checkpoint into `state`; nil if there is no checkpoint.
    ///
    /// - Parameter damaged: called for each newer checkpoint that is damaged, with the reason.
    /// - Throws: ``SEDDError`` of kind `invalidData` if there are checkpoints, but all are damaged.
    func restoreLatest(
        into state: inout TrainingState, damaged: (URL, any ClassifiedError) throws -> Void
    ) throws -> URL? {
        let steps = steps()
        var first: (any ClassifiedError)?
        for step in steps.reversed() {
            let source = url(step: step)
            do {
                try restore(source, into: &state)
                return source
            } catch let error as any ClassifiedError
                where error.failure == .invalidData || error.failure == .missingInput
            {
                first = first ?? error
                try damaged(source, error)
            }
        }
        guard let first else { return nil }
        throw SEDDError(
            .invalidData,
            "\(first.description); none of the \(steps.count) checkpoints in \(folder.path) is intact: restore one from a copy, or start another run"
        )
    }

    private func restore(_ source: URL, into state: inout TrainingState) throws {
        try Manifest.verify(source)
        let training = source.appending(path: "training")
        let progress = try JSON.decode(Progress.self, contentsOf: source.appending(path: Self.progressFile))
        guard Self.step(of: source.lastPathComponent) == progress.step else {
            throw SEDDError(
                .invalidData,
                "\(source.path)/\(Self.progressFile): step is \(progress.step); expected that of the folder's name")
        }
        try state.average.load(source.appending(path: "model.safetensors"))
        try Self.requireOptimizer(of: state, in: training)
        for (name, weights) in Self.parts(of: state) {
            try weights.load(training.appending(path: name + ".safetensors"))
        }
        state.step = progress.step
        state.best = progress.best
        state.times = progress.times ?? TimeProfile()
    }

    /// Checks that the arrays in `training` belong to the state's optimizer.
    private static func requireOptimizer(of state: TrainingState, in training: URL) throws {
        let found = try FileManager.default.contentsOfDirectory(atPath: training.path)
            .filter { $0.hasSuffix(".safetensors") }.map { String($0.dropLast(12)) }.sorted()
        let expected = parts(of: state).map(\.name).sorted()
        guard found == expected else {
            throw SEDDError(
                .usage,
                "\(training.path): holds \(found.joined(separator: ", ")) but this run's optimizer requires \(expected.joined(separator: ", ")); continue with the optim.type that the run was started with"
            )
        }
    }

    private static func parts(of state: TrainingState) -> [(name: String, weights: Weights)] {
        [("weights", state.weights)] + state.slots
    }

    /// `last` is a symbolic link to the newest checkpoint, if the file system supports links.
    private func point(to target: URL) throws {
        let aside = folder.appending(path: ".last.partial")
        try? FileManager.default.removeItem(at: aside)
        guard symlink(target.lastPathComponent, aside.path) == 0 else {
            if [EPERM, ENOTSUP, EOPNOTSUPP, ENOSYS, EINVAL].contains(errno) { return }
            throw SEDDError(
                .cannotWrite,
                "\(folder.path)/last: cannot make the link to the newest checkpoint (\(FileSystem.reason(errno))); free space or check the folder's permissions"
            )
        }
        try replace(folder.appending(path: "last"), by: aside)
    }

    /// Renames `new` to `old`, which may be a nonempty folder, like a run's `last` in a copy without links.
    private func replace(_ old: URL, by new: URL) throws {
        let aside = folder.appending(path: ".\(old.lastPathComponent).old")
        try? FileManager.default.removeItem(at: aside)
        var information = stat()
        let isFolder = lstat(old.path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
        if isFolder { rename(old.path, aside.path) }
        guard rename(new.path, old.path) == 0 else {
            let reason = FileSystem.reason(errno)
            if isFolder { rename(aside.path, old.path) }
            throw SEDDError(
                .cannotWrite, "\(old.path): cannot be renamed into place (\(reason)); check the folder's permissions")
        }
        FileSystem.sync(folder: folder)
        if isFolder { try? FileManager.default.removeItem(at: aside) }
    }

    /// Later checkpoints are damaged ones, from before the run fell back; they are replaced when it reaches their step.
    private func prune(upTo newest: Int, keep: Int, best: Int?) {
        for step in steps().filter({ $0 <= newest }).dropLast(keep) where step != best {
            try? FileManager.default.removeItem(at: url(step: step))
        }
    }
}
