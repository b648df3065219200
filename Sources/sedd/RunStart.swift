import Files
import Foundation
import SEDD
import Text
import Torch

/// Starts or resumes a run: combines the command's options with those that the run used last.
struct RunStart {
    let configuration: TrainingConfiguration
    /// The options that the run used last; nil if it starts, or was created by an older version.
    let record: RunRecord?
    private let run: RunFolder
    /// The keys that differ from those used last.
    private let differences: [(key: String, old: String, new: String)]
    /// A model given by --from to a run that began from something else.
    private let unusedStart: String?

    /// Keys that determine the meaning of the weights: a run cannot change them. The model's keys come last, because
    /// some follow from others.
    private static let fixed = ["tokenizer", "graph.", "noise.", "optim.type", "training.freeze", "model."]
    /// Those of them that it can change.
    private static let free: Set = ["model.length", "model.dropout"]

    init(
        _ run: RunFolder, config: String?, from: PathArgument? = nil, overrides: [String], data: [PathArgument]
    ) async throws {
        self.run = run
        guard run.exists else {
            try run.requireNone()
            guard config != nil || from != nil else {
                throw SEDDError(
                    .missingInput, "\(run.url.path): no run.yaml found; start a run with --config and --data")
            }
            configuration = try await TrainingInput.configuration(config, from: from, overrides: overrides, data: data)
            (record, differences, unusedStart) = (nil, [], nil)
            return
        }
        let last = try run.configuration()
        record = try run.record()
        let hasBegun = record?.saved ?? !run.checkpoints.steps().isEmpty
        var wanted: TrainingConfiguration
        if config != nil || from != nil && !hasBegun {
            wanted = try await TrainingInput.configuration(config, from: from, overrides: overrides, data: data)
        } else {
            wanted =
                overrides.isEmpty
                ? last
                : try ConfigurationFile.resolve(
                    yaml: ConfigurationFile.yaml(last), overrides: overrides, source: "\(run.url.path)/run.yaml")
            if !data.isEmpty { wanted.data.files = data.map { FileSystem.realPath($0.text) } }
            if let from { wanted.training.from = FileSystem.realPath(from.text) }
        }
        // What a run began from does not change; launchers repeat --from, which may since name a newer checkpoint.
        unusedStart = hasBegun && wanted.training.from != last.training.from ? wanted.training.from : nil
        if hasBegun { wanted.training.from = last.training.from }
        configuration = wanted
        differences = try ConfigurationFile.differences(from: last, to: configuration)
        let refused = Self.fixed.lazy.compactMap { [differences] prefix in
            differences.first { $0.key.hasPrefix(prefix) && !Self.free.contains($0.key) }
        }.first
        if let refused, hasBegun {
            throw SEDDError(
                .usage,
                "\(refused.key) is \(refused.old) in the run and \(refused.new) here; it cannot change during a run: leave it out, or start another run"
            )
        }
        for file in configuration.data.files where !FileSystem.exists(URL(filePath: file)) {
            throw SEDDError(
                .missingInput, "\(file): no such file; if the data of the run have moved, name them with --data FILE..."
            )
        }
    }

    /// Shares the first process's start with all processes, because only the first uses the run folder.
    ///
    /// - Parameter first: evaluated by the first process only.
    init(
        _ run: RunFolder, shared team: Team, data: [PathArgument], first: () async throws -> RunStart
    ) async throws {
        struct Shared: Codable {
            let yaml: String
            let record: RunRecord?
        }
        let own = team.isFirst ? try await first() : nil
        let shared = try team.broadcast(
            Shared(yaml: own.map { try ConfigurationFile.yaml($0.configuration) } ?? "", record: own?.record),
            "configuration")
        guard let own else {
            var configuration = try ConfigurationFile.resolve(yaml: shared.yaml, overrides: [], source: "rank 0")
            if !data.isEmpty { configuration.data.files = data.map { FileSystem.realPath($0.text) } }
            (self.configuration, record, differences, unusedStart, self.run) = (
                configuration, shared.record, [], nil, run
            )
            return
        }
        self = own
    }

    /// The tokenizer: the one stored beside the weights if the run has one, because the alphabet of changed data would
    /// differ.
    func makeTokenizer() async throws -> any Tokenizer {
        guard configuration.tokenizer == CharacterTokenizer.kind,
            let folder = run.checkpoints.newest(withIntact: CharacterTokenizer.fileName)
        else { return try await TrainingInput.makeTokenizer(configuration) }
        return try Tokenizers.load(kind: CharacterTokenizer.kind, folder: folder)
    }

    /// Creates the run, or updates its `run.yaml`.
    ///
    /// - Returns: one line for each option that has changed since the run was last resumed.
    /// - Throws: ``SEDDError`` of kind `usage` if the meaning of the weights would change.
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
        if let unusedStart {
            lines.append(
                "--from \(unusedStart): not read, because the run has begun, from \(configuration.training.from ?? "random weights")"
            )
        }
        if let record { lines += try now.changes(from: record, run: run.url.path) }
        try run.update(configuration, now)
        return lines
    }
}
