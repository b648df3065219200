import Files
package import HTTPTypes
import SEDD
import Text

/// What a client did wrong, or the server could not do, in the shape that OpenAI's clients turn into their exceptions.
package struct APIError: Error, Sendable, Equatable {
    /// The class that clients tell apart.
    package enum Kind: String, Sendable {
        case invalidRequest = "invalid_request_error"
        case authentication = "authentication_error"
        case permission = "permission_error"
        case notFound = "not_found_error"
        case rateLimit = "rate_limit_error"
        case server = "server_error"
    }

    package let status: HTTPResponse.Status
    package let kind: Kind
    /// One line: what was expected, what was found, what to do.
    package let message: String
    /// The member of the request that it is about.
    package let parameter: String?
    /// A word that programs can compare with.
    package let code: String?
    /// Seconds after which it is worth trying again.
    package let retryAfter: Int?

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

    /// A member of the request that makes no sense.
    static func invalid(_ parameter: String?, _ message: String, code: String? = nil) -> APIError {
        APIError(.badRequest, .invalidRequest, message, parameter: parameter, code: code)
    }

    /// What an error of the library or of the engine means to a client.
    ///
    /// - Parameter parameter: the member that a value which makes no sense came from.
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
                "as many sequences are under way as this server takes; try again in a few seconds",
                code: "queue_full", retryAfter: 5)
        case SamplingEngine.Refusal.stopping:
            self.init(
                .serviceUnavailable, .server, "the server is stopping; try again in a few seconds", code: "stopping",
                retryAfter: 5)
        case SamplingEngine.Refusal.deadline:
            self.init(
                .gatewayTimeout, .server,
                "the request took longer than this server allows; ask for fewer steps or tokens",
                code: "deadline")
        default:
            // What went wrong inside is for the log, not for strangers.
            self.init(.internalServerError, .server, "the server could not finish the request", code: "internal")
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
        // Absent members are null: clients read them.
        try inner.encode(parameter, forKey: .param)
        try inner.encode(code, forKey: .code)
    }
}
