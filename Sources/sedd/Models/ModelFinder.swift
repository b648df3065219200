import Files
import Foundation
import Hub
import SEDD
import Text

/// A model named on the command line.
struct FoundModel: Sendable {
    /// The folder, or the weight file.
    let place: URL
    /// A short name for it.
    let name: String
}

/// Resolves the name of a model: an existing path, a bundled model, or a repository of the hub.
actor ModelFinder {
    static let shared = ModelFinder()

    /// Whether a run resolves to one of its checkpoints.
    enum Runs { case bestCheckpoint, asTheyAre }

    private var found: [String: FoundModel] = [:]

    /// Finds the model. An existing path takes precedence; the hub is queried only for names of its form.
    ///
    /// - Throws: `missingInput` that says where it was searched for; errors of ``Hub/snapshot(_:_:)``.
    func find(_ text: String, runs: Runs = .bestCheckpoint) async throws -> FoundModel {
        let key = "\(runs) \(text)"
        if let known = found[key] { return known }
        let model = try await search(text, runs)
        found[key] = model
        return model
    }

    private func search(_ text: String, _ runs: Runs) async throws -> FoundModel {
        let place = FileSystem.url(text)
        if FileSystem.exists(place) {
            if runs == .bestCheckpoint, let checkpoint = try Self.checkpoint(of: place) {
                Console.note("\(text): \(checkpoint.description)")
                return FoundModel(
                    place: checkpoint.folder, name: URL(filePath: FileSystem.realPath(text)).lastPathComponent)
            }
            return FoundModel(place: place, name: URL(filePath: FileSystem.realPath(text)).lastPathComponent)
        }
        let bundled = Installation.bundled
        if let match = bundled.first(where: { $0.name == text }) { return FoundModel(place: match.folder, name: text) }
        if let model = try? HubModel(text) {
            do {
                let snapshot = try await HubAccess.hub().snapshot(model)
                let name = model.repository.split(separator: "/").last.map(String.init) ?? model.repository
                return FoundModel(place: snapshot.folder, name: name)
            } catch let error as FileError where error.kind == .missingInput {
                throw FileError(
                    .missingInput, "no such folder or file, and as a model of the hub: \(error.problem)", source: text,
                    remedy: error.remedy)
            }
        }
        let near = NearestName.near(text, among: bundled.map(\.name)).map { "; did you mean \($0)?" } ?? ""
        throw SEDDError(
            .missingInput,
            "\(place.path): no such folder or file, and no bundled model of that name\(near); expected a model folder, a run, \(bundled.map { "\($0.name), " }.joined())or ORG/NAME of the hub"
        )
    }

    /// The checkpoint to use for a run; nil if `place` is not a run.
    private static func checkpoint(of place: URL) throws -> (folder: URL, description: String)? {
        let run = RunFolder(place)
        guard run.exists, !FileSystem.exists(place.appending(path: "config.json")) else { return nil }
        if let best = run.checkpoints.best() {
            let loss = String(format: "%.3f", best.validation)
            return (
                run.checkpoints.url(step: best.step),
                "its best checkpoint, step \(best.step) (held-out \(loss) nats/token)"
            )
        }
        guard let last = run.checkpoints.steps().last else {
            throw SEDDError(.missingInput, "\(place.path): a run without a checkpoint; let it train until it saves one")
        }
        return (run.checkpoints.url(step: last), "its last checkpoint, step \(last)")
    }
}
