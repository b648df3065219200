import Files
import Foundation

/// Finds the needed files of a repository by requesting one after the other; a repository may contain many more.
struct NeededFiles {
    /// The file that is requested first; the response names the commit.
    static func first(_ part: HubPart) -> String { part == .model ? "config.json" : tokenizer[0] }

    private static let tokenizer = ["tokenizer.json", "vocab.json", "merges.txt"]
    /// Alternatives, in order of preference. An index names the files that hold the tensors.
    private static let weights = [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
    ]
    /// Additional files of models made by this program: checksums, an alphabet, an information profile.
    private static let own = ["manifest.json", "characters.txt", "profile.json", "model_card.json"]
    private static let greatestList = 1 << 26
    private static let mostFiles = 4096

    let model: HubModel
    /// Fetches a file into the snapshot; false if the repository does not have it.
    let fetch: (String) async throws -> Bool
    /// Location of a file of the snapshot.
    let place: (String) -> URL

    /// Fetches all of them.
    ///
    /// - Throws: `missingInput` if files that a model or a tokenizer requires are absent.
    func gather(_ part: HubPart) async throws {
        if part == .model { try await gatherModel() }
        var found: Set<String> = []
        for name in Self.tokenizer where try await fetch(name) { found.insert(name) }
        guard part == .model || found.contains(Self.tokenizer[0]) || found.isSuperset(of: Self.tokenizer.dropFirst())
        else {
            throw FileError(
                .missingInput, "\(model): the repository has no tokenizer",
                remedy: "expected tokenizer.json, or vocab.json and merges.txt; name another repository")
        }
    }

    private func gatherModel() async throws {
        _ = try await fetch("config.json")
        var hasWeights = false
        for name in Self.weights where try await fetch(name) {
            if name.hasSuffix(".index.json") { try await gatherShards(name) }
            hasWeights = true
            break
        }
        guard hasWeights else {
            throw FileError(
                .missingInput, "\(model): the repository has no weights",
                remedy: "expected one of \(Self.weights.joined(separator: ", ")); name another model")
        }
        for name in Self.own where try await fetch(name) {
            if name == Self.own[0] { try await gatherListed(name) }
        }
    }

    private func gatherShards(_ index: String) async throws {
        struct Index: Decodable {
            let files: [String: String]
            enum CodingKeys: String, CodingKey { case files = "weight_map" }
        }
        let map = try JSON.decode(Index.self, contentsOf: place(index), limit: Self.greatestList).files
        for name in try checked(Set(map.values), index) {
            guard try await fetch(name) else {
                throw FileError(
                    .missingInput, "\(model): \(index) names \(name), which the repository does not have",
                    remedy: "report it to the model's publisher, or name another revision")
            }
        }
    }

    /// Our manifests list files with their checksums; the optimizer's are not needed here.
    private func gatherListed(_ manifest: String) async throws {
        let tree = try JSON.parse(
            FileSystem.contents(of: place(manifest), limit: Self.greatestList), source: place(manifest).path)
        // Other programs use this file name too.
        guard case .object(let members) = tree, case .object(let files)? = members["files"] else { return }
        for name in try checked(Set(files.keys.filter { !$0.hasPrefix("training/") }), manifest) {
            _ = try await fetch(name)
        }
    }

    private func checked(_ names: Set<String>, _ source: String) throws(FileError) -> [String] {
        guard names.count <= Self.mostFiles else {
            throw FileError(
                .invalidData, "\(source) names \(names.count) files; expected \(Self.mostFiles) at most",
                source: "\(model)")
        }
        for name in names { try SnapshotName.check(name, source: "\(model): \(source)") }
        return names.sorted()
    }
}
