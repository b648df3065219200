import Crypto
import Files
public import Foundation
public import Text
public import Torch

/// The paper's comparison at a size that fits the machine: models of equal width, depth, data and steps, their
/// perplexities, sample quality against the number of steps, and prompting.
///
/// Every finished measurement is stored in the folder, so an interrupted study can be resumed.
public final class Study {
    /// Progress events.
    public enum Event: Sendable {
        /// A measurement or the report begins; the text names it.
        case stage(String)
        /// Progress of the training of one model.
        case training(StudyPlan.Role, Trainer.Event)
        /// The fraction of the named measurement that is done, from 0 to 1.
        case progress(String, Double)
    }

    let plan: StudyPlan
    let folder: URL
    let dataset: TokenDataset
    let tokenizer: any Tokenizer
    let device: Device
    var results: StudyResults
    let shouldStop: () -> Bool
    let report: (Event) -> Void

    /// Starts or resumes the study in `folder`.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if the folder holds another study, `invalidData` if the held-out text is
    ///   too short.
    public init(
        _ plan: StudyPlan, folder: URL, dataset: TokenDataset, tokenizer: any Tokenizer, device: Device = .cpu,
        shouldStop: @escaping () -> Bool, report: @escaping (Event) -> Void
    ) throws {
        try plan.validate()
        let blocks = dataset.heldOut.count / max(1, plan.base.model.length)
        guard blocks >= plan.heldOutBlocks else {
            throw SEDDError(
                .invalidData,
                "the held-out text has \(blocks) blocks of \(plan.base.model.length); a study of \(plan.count) texts, \(plan.promptedCount) prompted, requires \(plan.heldOutBlocks): give more text or lower --count"
            )
        }
        var plan = plan
        plan.fingerprint = try Self.fingerprint(dataset)
        self.plan = plan
        self.folder = folder
        self.dataset = dataset
        self.tokenizer = tokenizer
        self.device = device
        self.shouldStop = shouldStop
        self.report = report
        try FileSystem.createFolder(folder)
        if let known = try Self.plan(in: folder) {
            guard known == plan else {
                throw SEDDError(
                    .usage,
                    "\(folder.path): holds a study with other data or settings (plan.json differs); repeat those, or choose another --output"
                )
            }
        } else {
            try Self.requireNone(in: folder)
            try Self.write(plan, to: folder.appending(path: "plan.json"))
        }
        let kept = folder.appending(path: "results.json")
        if FileSystem.exists(kept) {
            guard let read = try? JSON.decode(StudyResults.self, contentsOf: kept) else {
                throw SEDDError(.invalidData, "\(kept.path): damaged; remove it to repeat those measurements")
            }
            results = read
            // Earlier versions judged texts up to their first end: such rows are measured again.
            results.qualities.removeAll { $0.report.whole != true }
        } else {
            results = StudyResults()
        }
    }

    /// The names that a study writes beside `plan.json`.
    private static let ownNames = [
        "results.json", "report.md", "perplexity.csv", "quality.csv", "prompted.csv", "perplexity.svg", "entropy.svg",
        "configurations", "runs", "samples",
    ]

    /// Checks that the folder of a new study contains nothing that it would replace.
    private static func requireNone(in folder: URL) throws(SEDDError) {
        var information = stat()
        // lstat: a dangling link would be replaced too.
        let taken = ownNames.first { lstat(folder.appending(path: $0).path, &information) == 0 }
        guard let taken else { return }
        throw SEDDError(
            .usage, "\(folder.path): contains \(taken) but no plan.json of a study; choose another --output")
    }

    /// Over all tokens, so that a changed file is detected.
    private static func fingerprint(_ dataset: TokenDataset) throws -> String {
        var hash = SHA256()
        let (count, part) = (dataset.all.count, 1 << 16)
        for start in stride(from: 0, to: count, by: part) {
            let tokens = try dataset.all.window(at: start, length: min(part, count - start))
            tokens.map(\.littleEndian).withUnsafeBytes { hash.update(bufferPointer: $0) }
        }
        return hash.finalize().prefix(8).map { String(format: "%02x", $0) }.joined()
    }

    /// The plan of the study in `folder`; nil if there is none.
    public static func plan(in folder: URL) throws(SEDDError) -> StudyPlan? {
        let file = folder.appending(path: "plan.json")
        guard FileSystem.exists(file) else { return nil }
        guard let plan = try? JSON.decode(StudyPlan.self, contentsOf: file) else {
            throw SEDDError(.invalidData, "\(file.path): not the plan of a study; choose another --output")
        }
        return plan
    }

    /// Trains, measures and writes the report.
    ///
    /// - Throws: ``SEDDError`` of kind `interrupted` if `shouldStop` returns true; finished measurements are kept;
    ///   `FileError` of kind `cannotWrite` that names the process running the same study.
    public func run() throws {
        let lock = try FileLock(folder.appending(path: ".lock"), what: "a study is running here")
        defer { withExtendedLifetime(lock) {} }
        for role in StudyPlan.Role.allCases { try train(role) }
        try measureLikelihoods()
        try measureQuality()
        try measurePrompts()
        report(.stage("writing the report"))
        try StudyReport(plan: plan, results: results, parameters: parameters()).write(to: folder)
    }

    func runFolder(_ role: StudyPlan.Role) -> RunFolder { RunFolder(folder.appending(path: "runs/\(role.rawValue)")) }

    /// The trained model of a role.
    func model(_ role: StudyPlan.Role) throws -> LanguageModel {
        let steps = plan.base.training.nIters
        return try LanguageModel.load(runFolder(role).checkpoints.url(step: steps), device: device)
    }

    /// Trains a model to its last step, resuming its run folder if it exists.
    private func train(_ role: StudyPlan.Role) throws {
        let (run, configuration) = (runFolder(role), plan.configuration(role))
        if run.checkpoints.steps().last == configuration.training.nIters { return }
        report(.stage("training \(role.rawValue)"))
        if run.exists {
            guard try run.configuration() == configuration else {
                throw SEDDError(
                    .usage, "\(run.url.path): this run does not belong to the study; choose another --output")
            }
        } else {
            try run.create(configuration)
        }
        let trainer = try Trainer(
            configuration, run: run, dataset: dataset, tokenizer: tokenizer, device: device,
            precision: plan.precision(role))
        do { try trainer.train(shouldStop: shouldStop) { report(.training(role, $0)) } } catch let error as SEDDError
            where error.kind == .interrupted
        {
            try stopIfAsked()
            throw error
        }
    }

    private func parameters() throws -> [StudyPlan.Role: Int] {
        try Dictionary(
            uniqueKeysWithValues: StudyPlan.Role.allCases.map { ($0, try model($0).weights.layout.parameters) })
    }

    /// Stores a measurement, and stops if requested.
    func keep(_ change: (inout StudyResults) -> Void) throws {
        change(&results)
        try Self.write(results, to: folder.appending(path: "results.json"))
        try stopIfAsked()
    }

    func stopIfAsked() throws {
        guard shouldStop() else { return }
        throw SEDDError(.interrupted, "\(folder.path): stopped; run the same command to resume")
    }

    private static func write(_ value: some Encodable, to url: URL) throws {
        let encoder = ReportJSON.encoder([.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        try OutputFile.write([UInt8](encoder.encode(value)), to: url)
    }
}
