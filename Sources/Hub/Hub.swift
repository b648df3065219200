import Files
package import Foundation

/// Which files of a repository are needed.
package enum HubPart: Sendable {
    /// Configuration, weights, and tokenizer files, if any.
    case model
    /// The tokenizer's files alone.
    case tokenizer
}

/// A repository at one commit, in the cache.
package struct HubSnapshot: Sendable {
    package let model: HubModel
    package let commit: String
    /// The folder laid out like the repository.
    package let folder: URL
}

/// Models of the hub, using the protocol and the cache of `huggingface_hub`.
package struct Hub: Sendable {
    package let settings: HubSettings
    private let note: @Sendable (String) -> Void
    private let progress: @Sendable (HubProgress) -> Void

    /// - Parameters:
    ///   - note: receives one line for each thing that the user should know.
    ///   - progress: receives the progress of downloads.
    package init(
        _ settings: HubSettings, note: @escaping @Sendable (String) -> Void = { _ in },
        progress: @escaping @Sendable (HubProgress) -> Void = { _ in }
    ) {
        self.settings = settings
        self.note = note
        self.progress = progress
    }

    /// The snapshot of a model, with the needed files.
    ///
    /// The hub is queried for the revision's current commit. If it cannot be reached, the last known commit is used
    /// from the cache, with a note. A cached commit named as the revision needs no network.
    /// - Throws: `FileError`: `missingInput` if there is no such model, if access is refused, or if the hub cannot be
    ///   reached and the cache has no copy; `invalidData` if the received data do not match the hub's announcement;
    ///   `cannotWrite`.
    package func snapshot(_ model: HubModel, _ part: HubPart = .model) async throws -> HubSnapshot {
        let cache = RepositoryCache(settings.cache, repository: model.repository)
        if SnapshotName.isCommit(model.revision), let found = try? await cached(model, part, cache) { return found }
        if settings.isOffline {
            return try await cached(model, part, cache, problem: "HF_HUB_OFFLINE forbids to ask the hub")
        }
        let client = try HubClient(settings, note: note)
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

    /// The cached snapshot, without network access; nil if a file is missing.
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
                .missingInput, "\(model) is only partly in the cache, and \(problem)",
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
        // From here on the commit is fixed, whatever happens to the branch.
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
                    remedy: "try again; if the error persists, check HF_ENDPOINT")
            }
            try await bring(name, file, fixed, cache, client)
            return true
        }
        try await NeededFiles(model: model, fetch: fetch, place: { cache.file($0, commit) }).gather(part)
        // Last: until everything has arrived, the cache keeps the revision's previous commit.
        cache.note(model.revision, is: commit)
        return HubSnapshot(model: model, commit: commit, folder: cache.snapshot(commit))
    }

    /// Fetches one file into the cache.
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
