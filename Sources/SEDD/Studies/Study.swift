import Crypto
import Files
public import Foundation
public import Text
public import Torch

/// The article's comparison at a size that fits the machine: models of equal width, depth, data and steps, their perplexities,
/// the quality of their samples against the number of steps, and prompting.
///
/// Every finished piece is kept in the folder: a study that is stopped goes on from there.
public final class Study {
    /// What happens along the way.
    public enum Event: Sendable {
        case stage(String)
        case training(StudyPlan.Role, Trainer.Event)
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

    /// Starts or takes up the study in `folder`.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where another study is there, `invalidData` where the held-out text is too short.
    public init(
        _ plan: StudyPlan, folder: URL, dataset: TokenDataset, tokenizer: any Tokenizer, device: Device = .cpu,
        shouldStop: @escaping () -> Bool, report: @escaping (Event) -> Void
    ) throws {
        try plan.validate()
        let blocks = dataset.heldOut.count / max(1, plan.base.model.length)
        guard blocks >= plan.heldOutBlocks else {
            throw SEDDError(
                .invalidData,
                "the held-out text has \(blocks) blocks of \(plan.base.model.length); a study of \(plan.count) texts, \(plan.promptedCount) prompted, takes \(plan.heldOutBlocks): give more text or lower --count"
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
                    "\(folder.path): a study of other data or settings is here (plan.json differs); give those again, or choose another --output"
                )
            }
        } else {
            try Self.write(plan, to: folder.appending(path: "plan.json"))
        }
        let kept = folder.appending(path: "results.json")
        if FileSystem.exists(kept) {
            guard let read = try? JSON.decode(StudyResults.self, contentsOf: kept) else {
                throw SEDDError(.invalidData, "\(kept.path): damaged; remove it, and what it held is measured again")
            }
            results = read
        } else {
            results = StudyResults()
        }
    }

    /// Over all tokens, so that a file that has changed is noticed.
    private static func fingerprint(_ dataset: TokenDataset) throws -> String {
        var hash = SHA256()
        let (count, part) = (dataset.all.count, 1 << 16)
        for start in stride(from: 0, to: count, by: part) {
            let tokens = try dataset.all.window(at: start, length: min(part, count - start))
            tokens.map(\.littleEndian).withUnsafeBytes { hash.update(bufferPointer: $0) }
        }
        return hash.finalize().prefix(8).map { String(format: "%02x", $0) }.joined()
    }

    /// The plan of the study in `folder`; nil where none was started.
    public static func plan(in folder: URL) throws(SEDDError) -> StudyPlan? {
        let file = folder.appending(path: "plan.json")
        guard FileSystem.exists(file) else { return nil }
        guard let plan = try? JSON.decode(StudyPlan.self, contentsOf: file) else {
            throw SEDDError(.invalidData, "\(file.path): no plan of a study; choose another --output")
        }
        return plan
    }

    /// Trains, measures and writes the report.
    ///
    /// - Throws: ``SEDDError`` of kind `interrupted` after `shouldStop`; what is done is kept.
    public func run() throws {
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

    /// Trains a model to its last step, from wherever its run folder is.
    private func train(_ role: StudyPlan.Role) throws {
        let (run, configuration) = (runFolder(role), plan.configuration(role))
        if run.checkpoints.steps().last == configuration.training.nIters { return }
        report(.stage("training \(role.rawValue)"))
        if run.exists {
            guard try run.configuration() == configuration else {
                throw SEDDError(.usage, "\(run.url.path): the run here is not of this study; choose another --output")
            }
        } else {
            try run.create(configuration)
        }
        let trainer = try Trainer(configuration, run: run, dataset: dataset, tokenizer: tokenizer, device: device)
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

    /// Keeps what has been measured, and stops where that is wanted.
    func keep(_ change: (inout StudyResults) -> Void) throws {
        change(&results)
        try Self.write(results, to: folder.appending(path: "results.json"))
        try stopIfAsked()
    }

    func stopIfAsked() throws {
        guard shouldStop() else { return }
        throw SEDDError(.interrupted, "\(folder.path): stopped; the same command goes on from there")
    }

    private static func write(_ value: some Encodable, to url: URL) throws {
        let encoder = ReportJSON.encoder([.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        try OutputFile.write([UInt8](encoder.encode(value)), to: url)
    }
}
