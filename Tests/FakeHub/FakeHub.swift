import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Synchronization

/// A model hub on this machine: a server that answers as the hub does, and a second one, at another address, which
/// stores large files.
package final class FakeHub: Sendable {
    package struct File: Sendable {
        package var content: [UInt8]
        /// Large files are in the store, under the SHA-256 of their content; others on the hub, under git's SHA-1.
        package var isLarge: Bool

        package init(_ content: [UInt8], isLarge: Bool = false) {
            self.content = content
            self.isLarge = isLarge
        }

        package init(_ text: String) { self.init(Array(text.utf8)) }

        package var etag: String {
            let digits =
                isLarge
                ? SHA256.hash(data: content).map { String(format: "%02x", $0) }
                : Insecure.SHA1.hash(data: Array("blob \(content.count)\0".utf8) + content).map {
                    String(format: "%02x", $0)
                }
            return digits.joined()
        }
    }

    package struct Repository: Sendable {
        package var commit: String
        package var files: [String: File]
        /// The token that requests must have to see the repository.
        package var token: String?
        package var isGated = false

        package init(commit: String, files: [String: File], token: String? = nil, isGated: Bool = false) {
            self.commit = commit
            self.files = files
            self.token = token
            self.isGated = isGated
        }
    }

    /// Failures to simulate, each until its count is used up.
    package struct Faults: Sendable {
        /// Contents end after so many bytes.
        package var cutAfter: Int?
        package var cuts = 0
        /// The hub answers 503.
        package var unavailable = 0
        /// The Retry-After header of these responses.
        package var retryAfter: String?
        package var ignoresRange = false
        /// Contents differ from what was announced.
        package var corrupts = false
        /// The store refuses addresses issued before this many requests.
        package var expired = 0
        /// Ranges start elsewhere than requested.
        package var shiftsRange = false
        /// Sent instead of the true header.
        package var etag: String?
        package var commit: String?
        package var size: String?
        /// HEAD requests are redirected to this endpoint, without the file's metadata.
        package var mirrors: String?

        package init() {}
    }

    package struct Request: Sendable, Equatable {
        package let method: String
        package let path: String
        package let range: String?
        package let authorization: String?
        package let encoding: String?
        /// Whether it reached the store.
        package let isOfStore: Bool
    }

    private struct State {
        var repositories: [String: Repository] = [:]
        var renamed: [String: String] = [:]
        var faults = Faults()
        var requests: [Request] = []
        var store = 0
        var signatures = 0
    }

    private let state = Mutex(State())

    package init(_ repositories: [String: Repository] = [:]) { state.withLock { $0.repositories = repositories } }

    package subscript(name: String) -> Repository? {
        get { state.withLock { $0.repositories[name] } }
        set { state.withLock { $0.repositories[name] = newValue } }
    }

    package func rename(_ old: String, to new: String) { state.withLock { $0.renamed[old] = new } }
    package func set(_ faults: Faults) { state.withLock { $0.faults = faults } }
    package var requests: [Request] { state.withLock { $0.requests } }
    package func forgetRequests() { state.withLock { $0.requests = [] } }

    /// Runs both servers; `body` receives the address of the hub.
    package func run<Value: Sendable>(_ body: @escaping @Sendable (String) async throws -> Value) async throws -> Value
    {
        try await application(ofStore: true).test(.live) { store in
            self.state.withLock { $0.store = store.port ?? 0 }
            return try await self.application(ofStore: false).test(.live) { hub in
                try await body("http://127.0.0.1:\(hub.port ?? 0)")
            }
        }
    }

    private func application(ofStore: Bool) -> some ApplicationProtocol {
        var logger = Logger(label: "hub")
        logger.logLevel = .critical
        let responder = CallbackResponder<BasicRequestContext> { request, _ in
            self.note(request, ofStore)
            return ofStore ? self.stored(request) : self.answer(request)
        }
        return Application(
            responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: logger)
    }

    private func note(_ request: Hummingbird.Request, _ isOfStore: Bool) {
        let noted = Request(
            method: request.method.rawValue, path: request.uri.path, range: request.headers[.range],
            authorization: request.headers[.authorization], encoding: request.headers[.acceptEncoding],
            isOfStore: isOfStore)
        state.withLock { $0.requests.append(noted) }
    }

    private func answer(_ request: Hummingbird.Request) -> Response {
        let state = self.state.withLock { state in
            let copy = state
            if state.faults.unavailable > 0 { state.faults.unavailable -= 1 }
            return copy
        }
        if state.faults.unavailable > 0 {
            var response = refusal(503, nil)
            response.headers[.retryAfter] = state.faults.retryAfter
            return response
        }
        let parts = request.uri.path.split(separator: "/").map { $0.removingPercentEncoding ?? String($0) }
        guard let place = parts.firstIndex(of: "resolve"), (1...2).contains(place), parts.count > place + 2 else {
            return refusal(404, nil)
        }
        let name = parts[..<place].joined(separator: "/")
        let (revision, file) = (parts[place + 1], parts[(place + 2)...].joined(separator: "/"))
        if let endpoint = state.faults.mirrors {
            return Response(status: .permanentRedirect, headers: [.location: endpoint + request.uri.path])
        }
        if let new = state.renamed[name] {
            let path = "/\(new)/resolve/\(revision)/\(file)"
            return Response(status: .temporaryRedirect, headers: [.location: path])
        }
        let token = request.headers[.authorization]
        guard let repository = state.repositories[name],
            repository.token == nil || token == "Bearer \(repository.token ?? "")"
        else { return refusal(401, token == nil ? nil : "RepoNotFound") }
        if repository.isGated { return refusal(403, "GatedRepo") }
        guard revision == "main" || revision == repository.commit else { return refusal(404, "RevisionNotFound") }
        let commit = state.faults.commit ?? repository.commit
        guard let found = repository.files[file] else { return refusal(404, "EntryNotFound", commit: commit) }
        var headers: HTTPFields = [Self.repoCommit: commit]
        if found.isLarge {
            headers[Self.linkedETag] = "\"\(state.faults.etag ?? found.etag)\""
            headers[Self.linkedSize] = state.faults.size ?? String(found.content.count)
            let signature = self.state.withLock { state in
                state.signatures += 1
                return state.signatures
            }
            headers[.location] = "http://127.0.0.1:\(state.store)/\(name)/\(file)?signature=\(signature)"
            return Response(status: .found, headers: headers)
        }
        headers[.eTag] = "\"\(state.faults.etag ?? found.etag)\""
        guard request.method == .get else {
            headers[.contentLength] = String(found.content.count)
            return Response(status: .ok, headers: headers)
        }
        return content(found, request, headers)
    }

    private func stored(_ request: Hummingbird.Request) -> Response {
        let parts = request.uri.path.split(separator: "/").map { $0.removingPercentEncoding ?? String($0) }
        let (repositories, expired) = state.withLock { ($0.repositories, $0.faults.expired) }
        guard Int(request.uri.queryParameters["signature"] ?? "") ?? 0 > expired else { return refusal(403, nil) }
        for (name, repository) in repositories {
            let prefix = name.split(separator: "/").map(String.init)
            guard parts.starts(with: prefix) else { continue }
            let file = parts[prefix.count...].joined(separator: "/")
            if let found = repository.files[file] { return content(found, request, [:]) }
        }
        return refusal(404, nil)
    }

    private func content(_ file: File, _ request: Hummingbird.Request, _ headers: HTTPFields) -> Response {
        let faults = state.withLock { $0.faults }
        var (headers, bytes, status) = (headers, file.content[...], HTTPResponse.Status.ok)
        if let range = request.headers[.range], !faults.ignoresRange,
            let start = Int(range.dropFirst(6).prefix { $0 != "-" })
        {
            guard start < bytes.count else { return refusal(416, nil) }
            headers[.contentRange] = "bytes \(faults.shiftsRange ? start - 1 : start)-\(bytes.count - 1)/\(bytes.count)"
            (bytes, status) = (bytes.dropFirst(start), .partialContent)
        }
        if faults.corrupts, let last = bytes.indices.last { bytes[last] ^= 1 }
        guard faults.cuts > 0, let cut = faults.cutAfter, cut < bytes.count else {
            return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        state.withLock { $0.faults.cuts -= 1 }
        let part = ByteBuffer(bytes: bytes.prefix(cut))
        return Response(
            status: status, headers: headers,
            body: ResponseBody(contentLength: bytes.count) { writer in
                try await writer.write(part)
                throw Cut()
            })
    }

    private struct Cut: Error {}

    private func refusal(_ status: Int, _ code: String?, commit: String? = nil) -> Response {
        var headers: HTTPFields = [:]
        if let code { headers[Self.errorCode] = code }
        if let commit { headers[Self.repoCommit] = commit }
        return Response(status: .init(code: status), headers: headers)
    }

    private static let repoCommit = HTTPField.Name("X-Repo-Commit")!
    private static let linkedETag = HTTPField.Name("X-Linked-Etag")!
    private static let linkedSize = HTTPField.Name("X-Linked-Size")!
    private static let errorCode = HTTPField.Name("X-Error-Code")!
}
