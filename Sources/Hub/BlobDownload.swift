import AsyncHTTPClient
import Files
import Foundation
import NIOCore

/// Downloads one blob into the cache: resumes an earlier attempt, verifies size and checksum, and renames the file
/// last.
struct BlobDownload {
    let client: HubClient
    let cache: RepositoryCache
    let model: HubModel
    let name: String
    let file: RemoteFile
    let progress: @Sendable (HubProgress) -> Void

    /// - Parameter isAlone: whether a lock excludes other processes from the same blob.
    /// - Throws: ``HubRefusal``, `FileError`.
    func run(isAlone: Bool) async throws {
        let suffix = isAlone ? "" : "." + String(UInt32.random(in: .min ... .max), radix: 16)
        let target = cache.blob(file.etag)
        let partial = cache.blob(file.etag + suffix + ".incomplete")
        try requireSpace(beside: target)
        var part = try PartialFile(partial, resumes: isAlone)
        defer { if !isAlone { unlink(partial.path) } }
        while true {
            try await fill(&part)
            if let hash = try part.hash(file), !hash.matches {
                // The remains of an earlier attempt may be damaged and are retried; a complete new download with a
                // wrong checksum is an error.
                guard part.hasResumed else {
                    part.remove()
                    throw FileError(
                        .invalidData, "\(name) of \(model): its checksum is not \(file.etag)",
                        source: file.location.host(),
                        remedy: "try again; if the error persists, the network or the mirror alters files")
                }
                try part.restart()
                continue
            }
            return try part.commit(as: target)
        }
    }

    /// Receives until the file is complete.
    private func fill(_ part: inout PartialFile) async throws {
        var (location, failures) = (file.location, 0)
        while true {
            if part.count == file.size { return }
            if part.count > file.size { try part.restart() }
            let before = part.count
            do {
                try await receive(&part, from: location)
                if part.count == file.size { return }
                // A connection that was closed early looks like an end.
            } catch let error as HubRefusal {
                guard failures < client.settings.retries else { throw error }
                if error.reason != .unavailable { location = try await renewed(location, error) }
            } catch let error where NetworkFault.isOne(error) {
                guard failures < client.settings.retries else {
                    throw NetworkFault.refusal(error, of: model, at: client.settings)
                }
            }
            failures = part.count > before ? 0 : failures + 1
            guard failures <= client.settings.retries else {
                throw FileError(
                    .invalidData, "\(name) of \(model): \(part.count) bytes received, expected \(file.size)",
                    source: file.location.host(), remedy: "try again")
            }
            try await Task.sleep(for: HubClient.pause(failures))
        }
    }

    /// Signed storage addresses expire; the hub provides a new one.
    private func renewed(_ location: URL, _ refusal: HubRefusal) async throws -> URL {
        guard case .file(let now) = try await client.describe(name, of: model), now.etag == file.etag,
            now.location != location
        else { throw refusal }
        return now.location
    }

    private func receive(_ part: inout PartialFile, from location: URL) async throws {
        let start = part.count
        let content = try await client.content(at: location, from: start, model: model)
        switch content.answer.status {
        case 206 where Self.start(of: content.answer["Content-Range"]) == start: break
        // Not the requested range.
        case 206, 416: return try part.restart()
        default: if start > 0 { try part.restart() }
        }
        progress(HubProgress(file: name, received: part.count, total: file.size))
        for try await buffer in content.body {
            if buffer.readableBytes > file.size - part.count {
                try part.restart()
                throw FileError(
                    .invalidData, "\(name) of \(model): more than the \(file.size) bytes that were announced",
                    source: location.host(), remedy: "try again")
            }
            try part.append(buffer)
            progress(HubProgress(file: name, received: part.count, total: file.size))
        }
    }

    /// The first byte in a `Content-Range`.
    static func start(of range: String?) -> Int? {
        guard let range, range.hasPrefix("bytes ") else { return nil }
        return range.dropFirst(6).prefix { $0 != "-" }.description.trimmingCharacters(in: .whitespaces).asInt
    }

    private func requireSpace(beside target: URL) throws(FileError) {
        var information = statvfs()
        guard statvfs(target.deletingLastPathComponent().path, &information) == 0 else { return }
        let free = Double(information.f_bavail) * Double(information.f_frsize)
        guard free >= Double(file.size) else {
            throw FileError(
                .cannotWrite, "\(name) of \(model) takes \(file.size >> 20) MiB, and \(Int(free) >> 20) MiB are free",
                source: cache.root.path, remedy: "free space, or set HF_HUB_CACHE to a folder of another volume")
        }
    }
}

extension String {
    fileprivate var asInt: Int? { Int(self) }
}

/// Progress of a download.
package struct HubProgress: Sendable {
    /// The file's name in the repository.
    package let file: String
    /// Bytes received, including those of earlier attempts.
    package let received: Int
    package let total: Int?
}
