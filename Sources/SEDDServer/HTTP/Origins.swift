import Foundation
import HTTPTypes
import Hummingbird

/// Which pages of other places may use this server from a browser: those that are named, and no others.
///
/// A browser says with `Origin` whose page it is that asks; other clients send none. A page is the server's own where its origin is
/// the name that it was asked under. A server that listens on loopback knows its own names: a page of another name that somebody has
/// pointed at this machine is not its own. Listening elsewhere, it cannot tell, unless it has been given its names: then it answers
/// under those, and under addresses, alone (but for health checks).
struct Origins: RouterMiddleware {
    /// `https://example.org`, or `*` for all.
    let allowed: Set<String>
    /// The address that the server listens at.
    let host: String
    /// The names that it is asked under, in lower case; empty where they are not known.
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
                "pages of \(origin.prefix(200)) may not use this server; start it with --allow-origin to let them",
                code: "origin_not_allowed")
        }
        if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            return preflight(request, origin)
        }
        var response: Response
        // A page must be able to read its errors too.
        do { response = try await next(request, context) } catch {
            response = try errors.response(error, request, context)
        }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] = Self.exposed
        response.headers[.vary] = "Origin"
        return response
    }

    private static let exposed = "X-Request-ID, Retry-After, \(HTTPField.Name.ignoredParameters.rawName)"

    /// What a browser asks before it sends JSON to another place. Any header may be sent: clients add their own, and none but
    /// Authorization and Content-Type means anything here.
    private func preflight(_ request: Request, _ origin: String) -> Response {
        let asked = (request.headers[.accessControlRequestHeaders] ?? "").split(separator: ",")
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { HTTPField.Name($0) != nil }
        var headers: HTTPFields = [
            .accessControlAllowOrigin: origin, .accessControlAllowMethods: "GET, POST, HEAD",
            .accessControlAllowHeaders: asked.isEmpty ? "Authorization, Content-Type" : asked.joined(separator: ", "),
            .accessControlMaxAge: "600",
            .vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        ]
        // A page of the public network that asks a server of a private one.
        if request.headers[.init("Access-Control-Request-Private-Network")!] == "true" {
            headers[.init("Access-Control-Allow-Private-Network")!] = "true"
        }
        return Response(status: .noContent, headers: headers)
    }

    /// Refuses names that are not the server's, once it knows its own: a page of another name that somebody has pointed at it would be
    /// taken for the server's own by the browser. Addresses cannot be pointed elsewhere.
    private func nameFault(_ request: Request) -> APIError? {
        guard !names.isEmpty, !Self.healthPaths.contains(request.uri.path), let asked = request.head.authority else {
            return nil
        }
        let name = Self.name(asked)
        guard !names.contains(name), !Self.loopback.contains(name), !Self.isAddress(name) else { return nil }
        return APIError(
            .misdirectedRequest, .invalidRequest,
            "this server is not called '\(name.prefix(200))'; start it with --server-name to answer under that name",
            code: "unknown_server_name")
    }

    private static let healthPaths: Set<String> = ["/healthz", "/readyz", "/metrics"]

    /// The name of `name:port` or `[address]:port`, in lower case.
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
