import Hummingbird
import Metrics

/// Counts requests by route, method and status, and measures the time to the start of the response.
struct RequestMetrics: RouterMiddleware {
    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        let dimensions = [
            // Not the requested path: clients could create arbitrary series.
            ("route", context.endpointPath ?? "none"),
            ("method", Self.known.contains(request.method) ? request.method.rawValue : "other"),
            ("status", "\(response.status.code)"),
        ]
        Counter(label: "sedd_http_requests", dimensions: dimensions).increment()
        let (seconds, attoseconds) = (.now - context.arrival).components
        Timer(label: "sedd_http_request", dimensions: dimensions)
            .recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        return response
    }

    /// Counts malformed requests, and requests without a route.
    static func count(_ fault: APIError) {
        let dimensions = [("route", "none"), ("method", "other"), ("status", "\(fault.status.code)")]
        Counter(label: "sedd_http_requests", dimensions: dimensions).increment()
    }

    private static let known: Set<HTTPRequest.Method> = [.get, .post, .head, .options]
}
