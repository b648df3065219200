import Files
import Foundation
import Hub
import SEDD

/// The available models.
struct ModelListing {
    struct Entry: Encodable {
        enum Source: String, Encodable { case bundled, cache, run }

        /// The argument for `--model`.
        let name: String
        let source: Source
        let folder: String
        /// The kind of model, from its configuration.
        let kind: String
        /// Total size of the folder's files; nil for runs.
        var bytes: Int?
        /// The checkpoint that `--model RUN` selects.
        var step: Int?
    }

    let entries: [Entry]

    /// - Parameter runFolders: where to look for runs, besides the current folder and its folder `runs`.
    init(runFolders: [String]) async throws {
        var entries = Installation.bundled.map { name, folder in
            Entry(
                name: name, source: .bundled, folder: folder.path, kind: Self.kind(of: folder), bytes: Self.size(folder)
            )
        }
        entries += try await HubAccess.hub().cachedModels().map { model in
            Entry(
                name: model.revision == "main" ? model.repository : "\(model.repository)@\(model.revision)",
                source: .cache,
                folder: model.folder.path, kind: Self.kind(of: model.folder), bytes: model.bytes)
        }
        for parent in [".", "runs"] + runFolders {
            for name in Self.names(FileSystem.url(parent)) {
                let path = parent == "." ? name : "\(parent)/\(name)"
                let run = RunFolder(FileSystem.url(path))
                guard run.exists, let step = run.checkpoints.best()?.step ?? run.checkpoints.steps().last else {
                    continue
                }
                let folder = run.checkpoints.url(step: step)
                entries.append(
                    Entry(name: path, source: .run, folder: folder.path, kind: Self.kind(of: folder), step: step))
            }
        }
        self.entries = entries
    }

    /// Human-readable: aligned columns.
    var lines: [String] {
        guard !entries.isEmpty else { return ["none; fetch one with sedd download ORG/NAME, or train one"] }
        let width = entries.map(\.name.count).max() ?? 0
        return entries.map { entry in
            let size =
                entry.bytes.map { "\(max(1, ($0 + (1 << 19)) >> 20)) MiB" } ?? entry.step.map { "step \($0)" } ?? ""
            let columns = [
                entry.name.padding(toLength: width, withPad: " ", startingAt: 0),
                entry.source.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0),
                size.padding(toLength: max(10, size.count), withPad: " ", startingAt: 0), entry.kind,
            ]
            return columns.joined(separator: "  ")
        }
    }

    /// A short description, from `config.json` alone.
    static func kind(of folder: URL) -> String {
        guard let bytes = try? FileSystem.contents(of: folder.appending(path: "config.json"), limit: 1 << 24),
            case .object(let members)? = try? JSON.parse(bytes, source: "config.json")
        else { return "unknown" }
        func number(_ key: String) -> String? {
            if case .integer(let value)? = members[key] { "\(value) tokens" } else { nil }
        }
        if case .object(let graph)? = members["graph"], case .string(let type)? = graph["type"] {
            let parametrisation: String? =
                if case .object(let model)? = members["model"], case .string(let name)? = model["parametrisation"] {
                    name
                } else { nil }
            return ["diffusion, \(type)", parametrisation, number("tokens")].compactMap(\.self).joined(separator: ", ")
        }
        if case .string(let type)? = members["model_type"] {
            return [type, number("vocab_size")].compactMap(\.self).joined(separator: ", ")
        }
        if case .object(let model)? = members["model"], model["type"] == .string("ddit_wot") {
            return ["radd", number("tokens")].compactMap(\.self).joined(separator: ", ")
        }
        return "unknown"
    }

    private static func size(_ folder: URL) -> Int {
        names(folder).reduce(0) { sum, name in
            var information = stat()
            return stat(folder.appending(path: name).path, &information) == 0 ? sum + Int(information.st_size) : sum
        }
    }

    private static func names(_ folder: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { !$0.hasPrefix(".") }
            .sorted()
    }
}
