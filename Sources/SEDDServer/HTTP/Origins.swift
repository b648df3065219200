import Foundation
import HTTPTypes
import Hummingbird

/// Cross-origin access control: which other sites' pages may use this server from a browser.
///
/// Browsers name the requesting page's origin in `Origin`; other clients send none. A page is the server's own if its
/// origin is the name under which the server was addressed. With DNS rebinding, a foreign name resolves to this
/// machine, and a browser treats that name's page as the server's own. A server on loopback knows its own names and
/// refuses such a page's origin; but browsers send no origin with a page's own GET requests, so that what they read is
/// not protected. A server that was given its names answers only under those and under IP addresses (except health
/// checks), which protects everything.
struct Origins: RouterMiddleware {
    /// `https://example.org`, or `*` for all.
    let allowed: Set<String>
    /// The address on which the server listens.
    let host: String
    /// The server's names, in lower case; empty if unknown.
    var names: Set<String> = []
    var errors = ErrorResponses()

    private static let loopback: Set<String> = ["localhost", "127.0.0.1", "[::1]", "::1"]

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        if let refusal = nameFault(request) { throw refusal }
        guard let origin = request.headers[.origin], !isOwn(origin, request) else {
            var response = try await next(request, context)
            response.headers[.vary] = "Origin"
            return response
        }
        guard allowed.contains(origin) || allowed.contains("*") else {
            throw APIError(
                .forbidden, .permission,
                "pages of \(origin.prefix(200)) may not use this server; start it with --allow-origin to allow them",
                code: "origin_not_allowed")
        }
        if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            return preflight(request, origin)
        }
        var response: Response
        // Pages must be able to read errors too.
        do { response = try await next(request, context) } catch {
            response = try errors.response(error, request, context)
        }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] = Self.exposed
        response.headers[.vary] = "Origin"
        return response
    }

    private static let exposed = "X-Request-ID, Retry-After, \(HTTPField.Name.ignoredParameters.rawName)"

    /// The preflight response. Any header is allowed: clients add their own, and only Authorization and Content-Type
    /// have a meaning.
    private func preflight(_ request: Request, _ origin: String) -> Response {
        let asked = (request.headers[.accessControlRequestHeaders] ?? "").split(separator: ",")
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { HTTPField.Name($0) != nil }
        var headers: HTTPFields = [
            .accessControlAllowOrigin: origin, .accessControlAllowMethods: "GET, POST, HEAD",
            .accessControlAllowHeaders: asked.isEmpty ? "Authorization, Content-Type" : asked.joined(separator: ", "),
            .accessControlMaxAge: "600",
            .vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        ]
        // Private network access: a public page requests a server on a private network.
        if request.headers[.init("Access-Control-Request-Private-Network")!] == "true" {
            headers[.init("Access-Control-Allow-Private-Network")!] = "true"
        }
        return Response(status: .noContent, headers: headers)
    }

    /// Refuses names that are not the server's, if they are known: with DNS rebinding, a browser would treat a foreign
    /// page as the server's own. IP addresses cannot be rebound.
    private func nameFault(_ request: Request) -> APIError? {
        guard !names.isEmpty, !Self.healthPaths.contains(request.uri.path), let asked = request.head.authority else {
            return nil
        }
        let name = Self.name(asked)
        guard !names.contains(name), !Self.loopback.contains(name), !Self.isAddress(name) else { return nil }
        return APIError(
            .misdirectedRequest, .invalidRequest,
            "unknown server name '\(name.prefix(200))'; start the server with --server-name to answer under that name",
            code: "unknown_server_name")
    }

    private static let healthPaths: Set<String> = ["/healthz", "/readyz", "/metrics"]

    /// The name in `name:port` or `[address]:port`, in lower case.
    private static func name(_ authority: String) -> String {
        let name = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        return name.lowercased()
    }

    private static func isAddress(_ name: String) -> Bool {
        name.hasPrefix("[")
            || name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { UInt8($0) != nil }
    }

    func isOwn(_ origin: String, _ request: Request) -> Bool {
        guard let asked = request.head.authority, origin == "http://\(asked)" || origin == "https://\(asked)" else {
            return false
        }
        let name = Self.name(asked)
        if Self.loopback.contains(name) || names.contains(name) { return true }
        return !Self.loopback.contains(host) && (names.isEmpty || Self.isAddress(name))
    }
}
