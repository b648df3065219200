import Files
package import HTTPTypes
import SEDD
import Text

/// A client or server error, encoded as OpenAI's clients expect.
package struct APIError: Error, Sendable, Equatable {
    /// The error type that clients distinguish.
    package enum Kind: String, Sendable {
        case invalidRequest = "invalid_request_error"
        case authentication = "authentication_error"
        case permission = "permission_error"
        case notFound = "not_found_error"
        case rateLimit = "rate_limit_error"
        case server = "server_error"
    }

    /// HTTP status.
    package let status: HTTPResponse.Status
    /// Error type.
    package let kind: Kind
    /// One line: what was expected, what was found, what to do.
    package let message: String
    /// The request member at fault.
    package let parameter: String?
    /// A machine-readable code.
    package let code: String?
    /// Seconds after which a retry may succeed.
    package let retryAfter: Int?

    /// Creates an error.
    package init(
        _ status: HTTPResponse.Status, _ kind: Kind, _ message: String, parameter: String? = nil, code: String? = nil,
        retryAfter: Int? = nil
    ) {
        self.status = status
        self.kind = kind
        self.message = message
        self.parameter = parameter
        self.code = code
        self.retryAfter = retryAfter
    }

    /// An invalid request member.
    static func invalid(_ parameter: String?, _ message: String, code: String? = nil) -> APIError {
        APIError(.badRequest, .invalidRequest, message, parameter: parameter, code: code)
    }

    /// Maps an error of the library or the engine to one for clients.
    ///
    /// - Parameter parameter: the member that supplied the invalid value.
    init(_ error: any Error, parameter: String? = nil) {
        switch error {
        case let error as APIError: self = error
        case let error as SEDDError where error.kind == .usage:
            self = .invalid(parameter, error.description)
        case let error as TextError where error.kind == .invalidData:
            self = .invalid(parameter, "\(error)")
        case SamplingEngine.Refusal.queueFull:
            self.init(
                .tooManyRequests, .rateLimit,
                "the server is at capacity; try again in a few seconds",
                code: "queue_full", retryAfter: 5)
        case SamplingEngine.Refusal.stopping:
            self.init(
                .serviceUnavailable, .server, "the server is stopping; try again in a few seconds", code: "stopping",
                retryAfter: 5)
        case SamplingEngine.Refusal.deadline:
            self.init(
                .gatewayTimeout, .server,
                "the request exceeded the server's deadline; request fewer steps or tokens",
                code: "deadline")
        default:
            // Internal details go to the log, not to clients.
            self.init(.internalServerError, .server, "the server failed to complete the request", code: "internal")
        }
    }
}

extension APIError: Encodable {
    private enum OuterKeys: String, CodingKey { case error }
    private enum Keys: String, CodingKey { case message, type, param, code }

    package func encode(to encoder: any Encoder) throws {
        var outer = encoder.container(keyedBy: OuterKeys.self)
        var inner = outer.nestedContainer(keyedBy: Keys.self, forKey: .error)
        try inner.encode(message, forKey: .message)
        try inner.encode(kind.rawValue, forKey: .type)
        // Absent members are encoded as null: clients read them.
        try inner.encode(parameter, forKey: .param)
        try inner.encode(code, forKey: .code)
    }
}
