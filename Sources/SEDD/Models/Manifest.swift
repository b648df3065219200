import Crypto
import Files
import Foundation

/// Sizes and SHA-256 checksums of the files in a folder written by this program: a checkpoint or a converted model.
struct Manifest: Codable, Equatable {
    struct Entry: Codable, Equatable {
        let bytes: Int
        let sha256: String
    }

    static let fileName = "manifest.json"
    /// Files that a checkpoint holds besides its model.
    static let trainingFolder = "training/"
    let files: [String: Entry]

    /// The manifest of the current contents of `folder`.
    init(of folder: URL) throws { try self.init(of: folder, files: Self.names(in: folder)) }

    /// The manifest of the named files.
    init(of folder: URL, files names: [String]) throws {
        var files: [String: Entry] = [:]
        for name in names { files[name] = try Self.entry(folder.appending(path: name)) }
        self.files = files
    }

    /// Reads the manifest in `folder` and verifies every file against it.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` that names the first file that differs.
    static func verify(_ folder: URL, where isMeant: (String) -> Bool = { _ in true }) throws {
        let url = folder.appending(path: fileName)
        guard let manifest = try? JSON.decode(Manifest.self, contentsOf: url) else {
            throw SEDDError(.invalidData, "\(url.path): absent or damaged; resume from another checkpoint")
        }
        try manifest.compare(folder, remedy: "resume from another checkpoint", where: isMeant)
    }

    /// Verifies the model files in `folder` against the manifest beside them, if there is one of ours.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` that names the first file that differs, or the manifest.
    static func verifyModel(_ folder: URL) throws {
        let url = folder.appending(path: fileName)
        guard FileSystem.exists(url) else { return }
        let tree = try JSON.parse(FileSystem.contents(of: url, limit: 1 << 26), source: url.path)
        // Other programs use this file name too.
        guard case .object(let members) = tree, members["files"] != nil else { return }
        let manifest = try JSON.decode(Manifest.self, contentsOf: url)
        try manifest.compare(
            folder, remedy: "take it from a copy, or delete \(fileName) to use the folder as it is now"
        ) { !$0.hasPrefix(trainingFolder) }
    }

    /// Whether `file` belongs to a folder of ours, whose manifest has its checksum.
    static func lists(_ file: URL) -> Bool {
        let url = file.deletingLastPathComponent().appending(path: fileName)
        return (try? JSON.decode(Manifest.self, contentsOf: url))?.files[file.lastPathComponent] != nil
    }

    private func compare(_ folder: URL, remedy: String, where isMeant: (String) -> Bool) throws(SEDDError) {
        for (name, expected) in files.sorted(by: { $0.key < $1.key }) where isMeant(name) {
            let file = folder.appending(path: name)
            guard FileSystem.exists(file) else {
                throw SEDDError(.invalidData, "\(file.path): missing, though \(Self.fileName) lists it; \(remedy)")
            }
            guard let found = try? Self.entry(file), found == expected else {
                throw SEDDError(
                    .invalidData, "\(file.path): not the file that was saved (its checksum differs); \(remedy)")
            }
        }
    }

    func write(to folder: URL) throws {
        try OutputFile.write(JSON.encode(self, pretty: true), to: folder.appending(path: Self.fileName))
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

    private static func entry(_ url: URL) throws -> Entry {
        let file = try RandomAccessFile(url)
        var hash = SHA256()
        var place = 0
        while place < file.count {
            let part = try file.bytes(place..<min(file.count, place + (1 << 20)))
            hash.update(data: part)
            place += part.count
        }
        return Entry(bytes: file.count, sha256: hash.finalize().map { String(format: "%02x", $0) }.joined())
    }
}
