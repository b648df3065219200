import Files
package import Foundation

/// What is wanted of a repository.
package enum HubPart: Sendable {
    /// Configuration, weights, and the tokenizer's files where there are some.
    case model
    /// The tokenizer's files alone.
    case tokenizer
}

/// A repository at one commit, in the cache.
package struct HubSnapshot: Sendable {
    package let model: HubModel
    package let commit: String
    /// The folder that looks like the repository.
    package let folder: URL
}

/// Models of the hub, by its own client's protocol and in its own client's cache.
package struct Hub: Sendable {
    package let settings: HubSettings
    private let note: @Sendable (String) -> Void
    private let progress: @Sendable (HubProgress) -> Void

    /// - Parameters:
    ///   - note: told, a line each, what the user should know.
    ///   - progress: told how far downloads are.
    package init(
        _ settings: HubSettings, note: @escaping @Sendable (String) -> Void = { _ in },
        progress: @escaping @Sendable (HubProgress) -> Void = { _ in }
    ) {
        self.settings = settings
        self.note = note
        self.progress = progress
    }

    /// The snapshot of a model, with the files that are wanted of it.
    ///
    /// The hub is asked for the commit that the revision is now. Where it cannot be asked, the commit that it was the last time is
    /// taken from the cache, and that is said. A commit that is named and is in the cache needs no network.
    /// - Throws: `FileError`: `missingInput` where there is no such model, access is refused or the hub cannot be reached and the cache
    ///   has no copy; `invalidData` where what came is not what the hub announced; `cannotWrite`.
    package func snapshot(_ model: HubModel, _ part: HubPart = .model) async throws -> HubSnapshot {
        let cache = RepositoryCache(settings.cache, repository: model.repository)
        if SnapshotName.isCommit(model.revision), let found = try? await cached(model, part, cache) { return found }
        if settings.isOffline {
            return try await cached(model, part, cache, problem: "HF_HUB_OFFLINE forbids to ask the hub")
        }
        let client = try HubClient(settings)
        do {
            let snapshot = try await fetched(model, part, cache, client)
            await client.shutdown()
            return snapshot
        } catch let refusal as HubRefusal {
            await client.shutdown()
            guard let found = try? await cached(model, part, cache) else { throw refusal.error }
            note("\(refusal.problem); using the copy in the cache (\(found.commit.prefix(12)))")
            return found
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// What the cache has, without a network; nil where something is missing.
    package func cachedSnapshot(_ model: HubModel, _ part: HubPart = .model) async -> HubSnapshot? {
        try? await cached(model, part, RepositoryCache(settings.cache, repository: model.repository))
    }

    private func cached(
        _ model: HubModel, _ part: HubPart, _ cache: RepositoryCache, problem: String = "not in the cache"
    ) async throws -> HubSnapshot {
        guard let commit = cache.commit(of: model.revision), FileSystem.exists(cache.snapshot(commit)) else {
            throw FileError(
                .missingInput, "\(model) is not in the cache, and \(problem)", source: settings.cache.path,
                remedy: "fetch it with sedd download \(model) where there is a network")
        }
        do {
            try await NeededFiles(
                model: model, fetch: { cache.has($0, commit) }, place: { cache.file($0, commit) }
            ).gather(part)
        } catch let error as FileError where error.kind == .missingInput {
            throw FileError(
                .missingInput, "\(model) is in the cache in part only, and \(problem)",
                source: cache.snapshot(commit).path,
                remedy: "fetch the rest with sedd download \(model) where there is a network")
        }
        return HubSnapshot(model: model, commit: commit, folder: cache.snapshot(commit))
    }

    private func fetched(
        _ model: HubModel, _ part: HubPart, _ cache: RepositoryCache, _ client: HubClient
    ) async throws -> HubSnapshot {
        let first = NeededFiles.first(part)
        let answer = try await client.describe(first, of: model)
        let commit: String
        switch answer {
        case .file(let file): commit = file.commit
        case .absent(let named?): commit = named
        case .absent(nil):
            throw FileError(
                .invalidData, "\(model): an answer without a commit in X-Repo-Commit", source: settings.endpoint,
                remedy: "this is not a model hub; check HF_ENDPOINT")
        }
        // From here on one commit is meant, whatever happens to the branch.
        let fixed = try HubModel("\(model.repository)@\(commit)", allowsBareName: true)
        let fetch = { (name: String) async throws -> Bool in
            if cache.has(name, commit) { return true }
            if cache.isKnownAbsent(name, commit) { return false }
            guard case .file(let file) = try await client.describe(name, of: fixed) else {
                cache.noteAbsent(name, commit)
                return false
            }
            guard file.commit == commit else {
                throw FileError(
                    .invalidData, "\(name) of \(fixed): the answer is for commit \(file.commit)",
                    source: settings.endpoint,
                    remedy: "try again; if it stays so, check HF_ENDPOINT")
            }
            try await bring(name, file, fixed, cache, client)
            return true
        }
        try await NeededFiles(model: model, fetch: fetch, place: { cache.file($0, commit) }).gather(part)
        // Last: until all is there, the revision is what it was in the cache.
        cache.note(model.revision, is: commit)
        return HubSnapshot(model: model, commit: commit, folder: cache.snapshot(commit))
    }

    /// Brings one file into the cache.
    private func bring(
        _ name: String, _ file: RemoteFile, _ model: HubModel, _ cache: RepositoryCache, _ client: HubClient
    ) async throws {
        try cache.prepare(name, file.commit)
        let lock = try await BlobLock(cache.lockFile(file.etag)) {
            note("\(name) of \(model.repository): another process is fetching it; waiting")
        }
        defer { withExtendedLifetime(lock) {} }
        guard !cache.has(name, file.commit) else { return }
        let isNew = !FileSystem.exists(cache.blob(file.etag))
        if isNew {
            try await BlobDownload(
                client: client, cache: cache, model: model, name: name, file: file, progress: progress
            ).run(isAlone: lock.isHeld)
        }
        try cache.place(name, file.commit, blob: file.etag, isNew: isNew, copies: settings.copiesFiles)
    }
}
