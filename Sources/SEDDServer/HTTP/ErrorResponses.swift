import HTTPTypes
import Hummingbird
import Logging

/// Turns every error into JSON of the shape that clients know, and gives every response the number of its request.
struct ErrorResponses: RouterMiddleware {
    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do { response = try await next(request, context) } catch {
            response = try Self.response(error, request, context)
        }
        response.headers[.requestID] = context.id
        context.logger.info(
            "request",
            metadata: [
                "method": "\(request.method)", "path": "\(request.uri.path.prefix(200))",
                "status": "\(response.status.code)", "milliseconds": "\((.now - context.arrival) / .milliseconds(1))",
            ])
        return response
    }

    static func response(_ error: any Error, _ request: Request, _ context: ServerContext) throws -> Response {
        // Nobody reads it; the log has the number that other servers log for this.
        if JobRunner.clientLeft(error) {
            return Response(status: .init(code: 499, reasonPhrase: "Client Closed Request"))
        }
        let known = apiError(error, request)
        if known.code == "internal" {
            context.logger.error("a request failed", metadata: ["error": "\(error)"])
        }
        var response = try JobRunner.response(known, status: known.status)
        if let seconds = known.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        if known.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        // The answer to HEAD has no body, also where it is an error.
        if request.method == .head { response.body = ResponseBody() }
        return response
    }

    private static func apiError(_ error: any Error, _ request: Request) -> APIError {
        guard let error = error as? HTTPError else { return APIError(error) }
        guard error.status == .notFound else {
            return APIError(error.status, .invalidRequest, error.body ?? error.status.reasonPhrase)
        }
        return APIError(
            .notFound, .notFound, "there is no \(request.method) \(request.uri.path.prefix(200)); see /openapi.json",
            code: "unknown_url")
    }
}

extension HTTPField.Name {
    static let requestID = HTTPField.Name("X-Request-ID")!
}
