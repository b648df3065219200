import HTTPTypes
import Hummingbird

/// Which pages of other places may use this server from a browser: those that are named, and no others.
///
/// A browser says with `Origin` whose page it is that asks; other clients send none.
struct Origins: RouterMiddleware {
    /// `https://example.org`, or `*` for all.
    let allowed: Set<String>

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin] else { return try await next(request, context) }
        if isOwn(origin, request) { return try await next(request, context) }
        guard allowed.contains(origin) || allowed.contains("*") else {
            throw APIError(
                .forbidden, .permission,
                "pages of \(origin.prefix(200)) may not use this server; start it with --allow-origin to let them",
                code: "origin_not_allowed")
        }
        // What a browser asks before it sends JSON to another place.
        let isQuestion = request.method == .options && request.headers[.accessControlRequestMethod] != nil
        var response: Response
        do { response = isQuestion ? Response(status: .noContent) : try await next(request, context) } catch {
            let known = APIError(error)
            response = try JobRunner.response(known, status: known.status)
        }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.vary] = "Origin"
        if isQuestion {
            response.headers[.accessControlAllowMethods] = "GET, POST"
            response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type"
            response.headers[.accessControlMaxAge] = "600"
        }
        return response
    }

    private func isOwn(_ origin: String, _ request: Request) -> Bool {
        guard let host = request.head.authority else { return false }
        return origin == "http://\(host)" || origin == "https://\(host)"
    }
}
