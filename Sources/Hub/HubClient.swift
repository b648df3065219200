import AsyncHTTPClient
import Files
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// The hub's HTTP protocol: follows redirects by its rules, retries transient failures, and sends the token only to the
/// hub.
final class HubClient: Sendable {
    let settings: HubSettings
    private let note: @Sendable (String) -> Void
    private let client: HTTPClient
    private let endpoint: URL
    private static let mostRedirects = 10

    /// - Parameter note: receives one line for each long wait.
    /// - Throws: `usage` if the certificates cannot be read.
    init(_ settings: HubSettings, note: @escaping @Sendable (String) -> Void) throws(FileError) {
        self.settings = settings
        self.note = note
        guard let endpoint = URL(string: settings.endpoint) else {
            throw FileError(.usage, "HF_ENDPOINT is '\(settings.endpoint)'; expected a URL")
        }
        self.endpoint = endpoint
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(
            connect: .seconds(Int64(settings.metadataTimeout)), read: .seconds(Int64(settings.downloadTimeout)))
        // HTTP/2 has no benefit for one download at a time.
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        if let file = settings.certificates {
            guard FileSystem.exists(FileSystem.url(file)) else {
                throw FileError(
                    .missingInput, "no such file, which SSL_CERT_FILE names", source: file,
                    remedy: "correct the variable, or unset it")
            }
            configuration.tlsConfiguration = .makeClientConfiguration()
            configuration.tlsConfiguration?.trustRoots = .file(file)
        }
        if let proxy = settings.proxies.proxy(for: endpoint) {
            let authorization = proxy.user.map {
                HTTPClient.Authorization.basic(username: $0, password: proxy.password ?? "")
            }
            configuration.proxy = .server(host: proxy.host, port: proxy.port, authorization: authorization)
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutdown() async { try? await client.shutdown() }

    /// Requests the metadata of a file.
    ///
    /// Redirects within the hub, as sent for renamed repositories, are followed. A redirect to another host is the
    /// location of the content, and that response itself has the file's metadata.
    /// - Throws: ``HubRefusal``; `FileError` for a response that is not a hub's.
    func describe(_ name: String, of model: HubModel) async throws -> Description {
        guard let start = HubAddress.resolve(settings.endpoint, model.repository, model.revision, name) else {
            throw FileError(
                .usage, "\(model): the name cannot be part of a URL; expected ORG/NAME or ORG/NAME@REVISION")
        }
        var url = start
        for _ in 0..<Self.mostRedirects {
            let answer = try await head(url, model)
            if answer.isRedirect,
                let target = answer["Location"].flatMap({ URL(string: $0, relativeTo: url)?.absoluteURL })
            {
                guard HubAddress.mayRedirect(from: url, to: target) else { throw Self.downgrade(url, target) }
                // A mirror may redirect elsewhere without sending metadata.
                guard HubAddress.isSameOrigin(url, target) || answer["X-Repo-Commit"] == nil else {
                    return .file(try RemoteFile(answer, from: url))
                }
                url = target
                continue
            }
            if answer.isAbsentEntry {
                return .absent(commit: answer["X-Repo-Commit"].flatMap { SnapshotName.isCommit($0) ? $0 : nil })
            }
            guard answer.isSuccess else {
                throw answer.refusal(of: model, at: settings.endpoint, hasToken: settings.token != nil)
            }
            return .file(try RemoteFile(answer, from: url))
        }
        throw HubRefusal(
            .unavailable, "\(start.absoluteString): more than \(Self.mostRedirects) redirects", "check HF_ENDPOINT")
    }

    /// The hub's response to a metadata request.
    enum Description {
        case file(RemoteFile)
        /// The repository has no such file at this commit.
        case absent(commit: String?)
    }

    private func head(_ url: URL, _ model: HubModel) async throws -> HubAnswer {
        try await retrying(model) {
            let response = try await self.client.execute(
                self.request(.HEAD, url), timeout: .seconds(Int64(self.settings.metadataTimeout)))
            return HubAnswer(status: Int(response.status.code), headers: response.headers)
        }
    }

    /// Requests a file's content from byte `start` on; redirects are followed, without the token if they leave the hub.
    ///
    /// - Throws: ``HubRefusal``, or the network's error.
    func content(at location: URL, from start: Int, model: HubModel) async throws -> Content {
        var url = location
        for _ in 0..<Self.mostRedirects {
            var request = self.request(.GET, url)
            if start > 0 { request.headers.add(name: "Range", value: "bytes=\(start)-") }
            let response = try await client.execute(
                request, timeout: .seconds(Int64(settings.metadataTimeout + settings.downloadTimeout)))
            let answer = HubAnswer(status: Int(response.status.code), headers: response.headers)
            if answer.isRedirect,
                let target = answer["Location"].flatMap({ URL(string: $0, relativeTo: url)?.absoluteURL })
            {
                guard HubAddress.mayRedirect(from: url, to: target) else { throw Self.downgrade(url, target) }
                url = target
                continue
            }
            guard answer.isSuccess || answer.status == 416 else {
                throw answer.refusal(of: model, at: settings.endpoint, hasToken: settings.token != nil)
            }
            return Content(answer: answer, body: response.body)
        }
        throw HubRefusal(.unavailable, "\(location.absoluteString.prefix(200)): too many redirects", "try again later")
    }

    /// A response whose body has not been read.
    struct Content {
        let answer: HubAnswer
        let body: HTTPClientResponse.Body
    }

    private func request(_ method: HTTPMethod, _ url: URL) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url.absoluteString)
        request.method = method
        request.headers.add(name: "User-Agent", value: settings.agent)
        // The file's exact bytes are needed, and their number.
        request.headers.add(name: "Accept-Encoding", value: "identity")
        if let token = settings.token, HubAddress.isSameOrigin(url, endpoint) {
            request.headers.add(name: "Authorization", value: "Bearer \(token)")
        }
        return request
    }

    /// Retries `work` with increasing pauses while the network or the hub fails.
    private func retrying(
        _ model: HubModel, _ work: () async throws -> HubAnswer
    ) async throws -> HubAnswer {
        var attempt = 0
        while true {
            let pause: Duration
            do {
                let answer = try await work()
                guard answer.isTransient, attempt < settings.retries else { return answer }
                let asked = min(60, max(0, answer.retryAfter ?? 0))
                pause = .seconds(asked) + Self.pause(attempt)
                if asked > 0 {
                    note("\(model.repository): the hub sent status \(answer.status); next attempt in \(asked) s")
                }
            } catch let error where NetworkFault.isTransient(error) {
                guard attempt < settings.retries else { throw NetworkFault.refusal(error, of: model, at: settings) }
                pause = Self.pause(attempt)
            } catch let error where NetworkFault.isOne(error) {
                throw NetworkFault.refusal(error, of: model, at: settings)
            }
            attempt += 1
            try await Task.sleep(for: pause)
        }
    }

    /// A fifth of a second, then twice as long each time, at most eight seconds.
    static func pause(_ attempt: Int) -> Duration { .milliseconds(min(8000, 200 << min(attempt, 10))) }

    private static func downgrade(_ url: URL, _ target: URL) -> FileError {
        FileError(
            .invalidData, "a redirect to \(target.absoluteString.prefix(200))", source: url.absoluteString,
            remedy: "expected one to an encrypted address; check HF_ENDPOINT and any proxy in between")
    }
}
