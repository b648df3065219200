import Files
import Foundation

/// `model.safetensors.index.json` or `pytorch_model.bin.index.json`: maps tensors to the files of a folder.
struct ShardedIndex: Decodable {
    /// File name by tensor name.
    let weightMap: [String: String]

    enum CodingKeys: String, CodingKey { case weightMap = "weight_map" }

    static let greatestFile = 1 << 26
    static let greatestCount = 4096

    /// The names of the shards, sorted.
    let shards: [String]

    init(from decoder: any Decoder) throws {
        weightMap = try decoder.container(keyedBy: CodingKeys.self).decode([String: String].self, forKey: .weightMap)
        shards = Set(weightMap.values).sorted()
    }

    /// Reads an index and checks that its shards exist.
    ///
    /// - Throws: ``FileError`` that names the missing shard (`missingInput`), or `invalidData` for an invalid index.
    static func read(_ url: URL) throws(FileError) -> ShardedIndex {
        let index: ShardedIndex = try JSON.decode(contentsOf: url, limit: greatestFile)
        guard !index.shards.isEmpty, index.shards.count <= greatestCount else {
            throw FileError(
                .invalidData, "weight_map names \(index.shards.count) files; expected 1 to \(greatestCount)",
                source: url.path)
        }
        let folder = url.deletingLastPathComponent()
        for shard in index.shards {
            let parts = shard.split(separator: "/", omittingEmptySubsequences: false)
            guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else {
                throw FileError(
                    .invalidData, "weight_map names '\(shard)'; expected files of the same folder", source: url.path)
            }
            let file = folder.appending(path: shard)
            guard FileSystem.exists(file) else {
                throw FileError(
                    .missingInput, "no such file, one of the \(index.shards.count) shards of \(url.lastPathComponent)",
                    source: file.path, remedy: "download it into the folder")
            }
        }
        return index
    }
}
