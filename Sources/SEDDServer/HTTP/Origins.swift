import HTTPTypes
import Hummingbird

/// Which pages of other places may use this server from a browser: those that are named, and no others.
///
/// A browser says with `Origin` whose page it is that asks; other clients send none. A page is the server's own where its origin is
/// the name that it was asked under. A server that listens on loopback knows its own names: a page of another name that somebody has
/// pointed at this machine is not its own.
struct Origins: RouterMiddleware {
    /// `https://example.org`, or `*` for all.
    let allowed: Set<String>
    /// The address that the server listens at.
    let host: String

    private static let loopback: Set<String> = ["localhost", "127.0.0.1", "[::1]", "::1"]

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin], !isOwn(origin, request) else {
            var response = try await next(request, context)
            response.headers[.vary] = "Origin"
            return response
        }
        guard allowed.contains(origin) || allowed.contains("*") else {
            let refusal = APIError(
                .forbidden, .permission,
                "pages of \(origin.prefix(200)) may not use this server; start it with --allow-origin to let them",
                code: "origin_not_allowed")
            return try ErrorResponses.response(refusal, request, context)
        }
        // What a browser asks before it sends JSON to another place.
        let isQuestion = request.method == .options && request.headers[.accessControlRequestMethod] != nil
        var response = isQuestion ? Response(status: .noContent) : try await next(request, context)
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] = "X-Request-ID, Retry-After"
        response.headers[.vary] = "Origin"
        if isQuestion {
            response.headers[.accessControlAllowMethods] = "GET, POST"
            response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type"
            response.headers[.accessControlMaxAge] = "600"
        }
        return response
    }

    func isOwn(_ origin: String, _ request: Request) -> Bool {
        guard let asked = request.head.authority, origin == "http://\(asked)" || origin == "https://\(asked)" else {
            return false
        }
        guard Self.loopback.contains(host) else { return true }
        let name = asked.hasPrefix("[") ? asked.prefix { $0 != "]" } + "]" : asked.prefix { $0 != ":" }
        return Self.loopback.contains(name.lowercased())
    }
}
