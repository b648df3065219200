import HTTPTypes
import Hummingbird
import Logging

/// Turns every error into JSON in the clients' schema, and adds the request ID to every response.
struct ErrorResponses: RouterMiddleware {
    var routes = RouteTable()

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do { response = try await next(request, context) } catch {
            response = try self.response(error, request, context)
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

    func response(_ error: any Error, _ request: Request, _ context: ServerContext) throws -> Response {
        // The client will not see it; 499 is the status that other servers log for this.
        if EventStream.isDisconnect(error) {
            return Response(status: .init(code: 499, reasonPhrase: "Client Closed Request"))
        }
        let isLost = (error as? HTTPError)?.status == .notFound
        let methods = isLost ? routes.methods(otherThan: request.method, request.uri.path) : []
        if !methods.isEmpty, request.method == .options {
            return Response(status: .noContent, headers: [.allow: methods.joined(separator: ", ")])
        }
        let known = methods.isEmpty ? Self.apiError(error, request) : Self.wrongMethod(request, methods)
        if known.code == "internal" {
            context.logger.error("a request failed", metadata: ["error": "\(error)"])
        }
        var response = try JSONResponse.make(known, status: known.status)
        if let seconds = known.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        if !methods.isEmpty { response.headers[.allow] = methods.joined(separator: ", ") }
        if known.code == "unsupported_content_encoding" { response.headers[.acceptEncoding] = "identity" }
        if known.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        // Responses to HEAD have no body, including errors.
        if request.method == .head { response = response.createHeadResponse() }
        return response
    }

    private static func apiError(_ error: any Error, _ request: Request) -> APIError {
        guard let error = error as? HTTPError else { return APIError(error) }
        guard error.status == .notFound else {
            return APIError(error.status, .invalidRequest, error.body ?? error.status.reasonPhrase)
        }
        let path = request.uri.path
        return APIError(
            .notFound, .notFound,
            "unknown endpoint \(request.method) \(path.prefix(200)); \(hint(path) ?? "see /openapi.json")",
            code: "unknown_url")
    }

    private static func wrongMethod(_ request: Request, _ methods: [String]) -> APIError {
        let known = methods.joined(separator: ", ")
        return APIError(
            .methodNotAllowed, .invalidRequest,
            "\(request.uri.path.prefix(200)) does not support \(request.method); expected one of \(known)",
            code: "method_not_allowed")
    }

    /// A replacement for a path that other servers have.
    private static func hint(_ path: String) -> String? {
        let parts = path.split(separator: "/").map(String.init)
        switch parts.last {
        case "completions" where parts.suffix(2).first == "chat", "responses", "messages":
            return
                "chat is not supported: POST /v1/completions with the text as prompt, or /v1/infill with holes anywhere"
        case "completions", "infill", "models":
            return "did you mean /v1/\(parts[parts.count - 1])? A client's base URL ends in /v1"
        default: return nil
        }
    }
}

extension HTTPField.Name {
    static let requestID = HTTPField.Name("X-Request-ID")!
    /// Names members of a request that were accepted without effect.
    static let ignoredParameters = HTTPField.Name("X-Ignored-Parameters")!
}
