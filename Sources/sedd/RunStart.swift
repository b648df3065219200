import Files
import Foundation
import SEDD
import Text
import Torch

/// How a run starts or goes on: what the command asks for, beside what the run last used.
struct RunStart {
    let configuration: TrainingConfiguration
    /// What the run last used; nil where it starts, or was made by a version that did not say.
    let record: RunRecord?
    private let run: RunFolder
    /// The keys that differ from what the run last used.
    private let differences: [(key: String, old: String, new: String)]

    /// Keys that decide what weights mean: a run cannot change them. Those of the model stand last, since some follow from others.
    private static let fixed = ["tokenizer", "graph.", "noise.", "optim.type", "training.freeze", "model."]
    /// Of those the ones that it can.
    private static let free: Set = ["model.length", "model.dropout"]

    init(
        _ run: RunFolder, config: String?, from: PathArgument? = nil, overrides: [String], data: [PathArgument]
    ) throws {
        self.run = run
        guard run.exists else {
            guard config != nil || from != nil else {
                throw SEDDError(
                    .missingInput, "\(run.url.path): no run.yaml here; start a run with --config and --data")
            }
            configuration = try TrainingInput.configuration(config, from: from, overrides: overrides, data: data)
            (record, differences) = (nil, [])
            return
        }
        let last = try run.configuration()
        record = try run.record()
        if config != nil || from != nil {
            configuration = try TrainingInput.configuration(config, from: from, overrides: overrides, data: data)
        } else {
            var wanted =
                overrides.isEmpty
                ? last
                : try ConfigurationFile.resolve(
                    yaml: ConfigurationFile.yaml(last), overrides: overrides, source: "\(run.url.path)/run.yaml")
            if !data.isEmpty { wanted.data.files = data.map { FileSystem.realPath($0.text) } }
            configuration = wanted
        }
        differences = try ConfigurationFile.differences(from: last, to: configuration)
        let refused = Self.fixed.lazy.compactMap { [differences] prefix in
            differences.first { $0.key.hasPrefix(prefix) && !Self.free.contains($0.key) }
        }.first
        if let refused, record?.saved ?? !run.checkpoints.steps().isEmpty {
            throw SEDDError(
                .usage,
                "\(refused.key) is \(refused.old) in the run and \(refused.new) here; its weights cannot change that: leave it out, or start another run"
            )
        }
        for file in configuration.data.files where !FileSystem.exists(URL(filePath: file)) {
            throw SEDDError(
                .missingInput, "\(file): no such file; if the data of the run have moved, say where with --data FILE..."
            )
        }
    }

    /// The tokenizer: the one that lies beside the weights where the run has some, since an alphabet of the data would be
    /// another one when they have changed.
    func makeTokenizer() throws -> any Tokenizer {
        guard configuration.tokenizer == CharacterTokenizer.kind, let step = run.checkpoints.steps().last else {
            return try TrainingInput.makeTokenizer(configuration)
        }
        return try Tokenizers.load(kind: CharacterTokenizer.kind, folder: run.checkpoints.url(step: step))
    }

    /// Makes the run, or brings its `run.yaml` up to date.
    ///
    /// - Returns: a line for each thing that has changed since the run last went on.
    /// - Throws: ``SEDDError`` of kind `usage` where the weights would get another meaning.
    func begin(
        _ dataset: TokenDataset, _ tokenizer: any Tokenizer, _ device: Device, _ precision: Precision
    ) throws -> [String] {
        let now = RunRecord(
            tokenizer: tokenizer.fingerprint, vocabulary: tokenizer.vocabularySize, tokens: dataset.all.count,
            data: try dataset.all.fingerprint(), device: device.description, precision: precision,
            saved: record?.saved ?? !run.checkpoints.steps().isEmpty)
        guard run.exists else {
            try run.create(configuration, now)
            return []
        }
        var lines = differences.map { "\($0.key): \($0.old) before, \($0.new) now" }
        if let record { lines += try now.changes(from: record, run: run.url.path) }
        try run.update(configuration, now)
        return lines
    }
}
