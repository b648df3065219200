import Files
package import Foundation

/// A model in the hub's cache, fetched by this program or any other.
package struct CachedModel: Sendable, Equatable {
    package let repository: String
    package let revision: String
    package let commit: String
    package let folder: URL
    /// Bytes of the snapshot's files.
    package let bytes: Int
}

extension Hub {
    /// The cached models with a configuration and weights, by name; other repositories are skipped.
    package func cachedModels() async -> [CachedModel] {
        var found: [CachedModel] = []
        for name in Self.names(settings.cache) where name.hasPrefix("models--") {
            let repository = name.dropFirst(8).split(separator: "--", omittingEmptySubsequences: false).joined(
                separator: "/")
            let refs = settings.cache.appending(path: name).appending(path: "refs")
            for revision in Self.revisions(refs) {
                guard let model = try? HubModel("\(repository)@\(revision)", allowsBareName: true),
                    let snapshot = await cachedSnapshot(model),
                    FileSystem.exists(snapshot.folder.appending(path: "config.json"))
                else { continue }
                found.append(
                    CachedModel(
                        repository: repository, revision: revision, commit: snapshot.commit, folder: snapshot.folder,
                        bytes: Self.size(snapshot.folder)))
            }
        }
        return found
    }

    /// Revisions whose commit is known; those of pull requests are in subfolders.
    private static func revisions(_ refs: URL) -> [String] {
        let walk = FileManager.default.enumerator(atPath: refs.path)?.compactMap { $0 as? String } ?? []
        return walk.filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: refs.appending(path: name).path, isDirectory: &isFolder)
                && !isFolder.boolValue && !name.hasSuffix(".tmp") && !name.hasSuffix(".partial")
        }.sorted()
    }

    private static func names(_ folder: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }

    private static func size(_ folder: URL) -> Int {
        names(folder).reduce(0) { sum, name in
            var information = stat()
            let isFile =
                stat(folder.appending(path: name).path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
            return sum + (isFile ? Int(information.st_size) : 0)
        }
    }
}
