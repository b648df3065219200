import Crypto
import Files
import Foundation
import Torch

/// Sizes and SHA-256 checksums of the files of a checkpoint.
struct Manifest: Codable, Equatable {
    struct Entry: Codable, Equatable {
        let bytes: Int
        let sha256: String
    }

    static let fileName = "manifest.json"
    let files: [String: Entry]

    /// The manifest of what lies in `folder` now.
    init(of folder: URL) throws {
        var files: [String: Entry] = [:]
        for name in try Self.names(in: folder) { files[name] = try Self.entry(folder.appending(path: name)) }
        self.files = files
    }

    /// Reads the manifest in `folder` and compares every file with it.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` that names the first file that differs.
    static func verify(_ folder: URL) throws {
        let url = folder.appending(path: fileName)
        guard let manifest = try? JSON.decode(Manifest.self, contentsOf: url) else {
            throw SEDDError(.invalidData, "\(url.path): absent or damaged; resume from another checkpoint")
        }
        for (name, expected) in manifest.files.sorted(by: { $0.key < $1.key }) {
            let file = folder.appending(path: name)
            guard let found = try? entry(file), found == expected else {
                throw SEDDError(
                    .invalidData,
                    "\(file.path): not the file that was saved (its checksum differs); resume from another checkpoint")
            }
        }
    }

    func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try OutputFile.write([UInt8](encoder.encode(self)), to: folder.appending(path: Self.fileName))
    }

    private static func names(in folder: URL) throws -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: folder.path) else { return [] }
        return walk.compactMap { $0 as? String }.filter { name in
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(
                atPath: folder.appending(path: name).path, isDirectory: &isFolder)
            return exists && !isFolder.boolValue && name != fileName
        }.sorted()
    }

    private static func entry(_ file: URL) throws -> Entry {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        var hash = SHA256()
        var bytes = 0
        while let part = try handle.read(upToCount: 1 << 20), !part.isEmpty {
            hash.update(data: part)
            bytes += part.count
        }
        return Entry(bytes: bytes, sha256: hash.finalize().map { String(format: "%02x", $0) }.joined())
    }
}
