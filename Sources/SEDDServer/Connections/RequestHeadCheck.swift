import HTTPTypes
import NIOHTTP1

/// Checks a request's head for what HTTP forbids or this server does not implement, regardless of the path.
enum RequestHeadCheck {
    /// - Returns: the error response for an unacceptable head; nil if it is acceptable.
    static func fault(_ head: HTTPRequestHead) -> APIError? {
        host(head) ?? framing(head) ?? target(head) ?? expectation(head)
    }

    /// Whether the connection must close after the response.
    static func endsConnection(_ head: HTTPRequestHead) -> Bool {
        // The parser stops at a protocol upgrade.
        head.version.minor < 1 || tokens(head, "connection").contains { $0 == "close" || $0 == "upgrade" }
    }

    /// Whether the client waits for `100 Continue` before sending the body.
    static func expectsContinue(_ head: HTTPRequestHead) -> Bool {
        head.version.minor >= 1 && tokens(head, "expect") == ["100-continue"]
    }

    /// The elements of a list header, in lower case.
    private static func tokens(_ head: HTTPRequestHead, _ name: String) -> [String] {
        head.headers[canonicalForm: name].map { $0.lowercased() }
    }

    /// RFC 9112, section 3.2.
    private static func host(_ head: HTTPRequestHead) -> APIError? {
        let hosts = head.headers["host"]
        guard hosts.count == 1 || hosts.isEmpty && head.version.minor < 1 else {
            return .bad("the request has \(hosts.count) Host headers; expected one", code: "invalid_host")
        }
        let forbidden = Set(" \t/?#@\\<>\"".utf8)
        guard hosts.allSatisfy({ $0.utf8.allSatisfy { !forbidden.contains($0) && $0 < 0x7F } }) else {
            return .bad(
                "the Host header is invalid: expected a name, with a port unless it is 80", code: "invalid_host")
        }
        return nil
    }

    /// RFC 9112, section 6.
    private static func framing(_ head: HTTPRequestHead) -> APIError? {
        let codings = tokens(head, "transfer-encoding")
        if codings.isEmpty { return nil }
        guard head.version.minor >= 1, !head.headers.contains(name: "content-length") else {
            return .bad(
                "Transfer-Encoding is invalid in HTTP/1.0 and together with Content-Length; send one of them, in HTTP/1.1",
                code: "invalid_framing")
        }
        guard codings == ["chunked"] else {
            return APIError(
                .notImplemented, .invalidRequest,
                "the transfer coding '\(codings.joined(separator: ", ").prefix(100))' is not implemented; send chunked, or Content-Length",
                code: "unsupported_transfer_coding")
        }
        return nil
    }

    private static func target(_ head: HTTPRequestHead) -> APIError? {
        if head.method == .CONNECT {
            return APIError(
                .notImplemented, .invalidRequest, "CONNECT is not supported: this server is not a proxy",
                code: "unsupported_method")
        }
        let isPath = head.uri.hasPrefix("/") || head.uri.lowercased().hasPrefix("http://") || head.uri == "*"
        return isPath ? nil : .bad("the target is invalid: expected a path such as /v1/models", code: "invalid_target")
    }

    /// RFC 9110, section 10.1.1.
    private static func expectation(_ head: HTTPRequestHead) -> APIError? {
        let expected = tokens(head, "expect")
        guard head.version.minor >= 1, !expected.isEmpty, expected != ["100-continue"] else { return nil }
        return APIError(
            .expectationFailed, .invalidRequest, "Expect is invalid: expected 100-continue; leave it out",
            code: "expectation_failed")
    }
}

extension APIError {
    /// A malformed request.
    static func bad(_ message: String, code: String) -> APIError {
        APIError(.badRequest, .invalidRequest, message, code: code)
    }

    /// The response to input that the parser rejected.
    static func unreadable(_ error: HTTPParserError, _ lines: LongLineWatch, limit: Int) -> APIError {
        switch error {
        case .headerOverflow where lines.hasLongRequestLine:
            APIError(
                .uriTooLong, .invalidRequest, "the request line is longer than \(limit) bytes; send a shorter path",
                code: "uri_too_long")
        case .headerOverflow:
            APIError(
                .requestHeaderFieldsTooLarge, .invalidRequest,
                "the headers are too many or too large; send fewer", code: "headers_too_large")
        case .invalidMethod where lines.beginsAsRequest:
            APIError(
                .notImplemented, .invalidRequest, "the method is unknown; see /openapi.json", code: "unsupported_method"
            )
        case .invalidVersion where lines.hasBareLineFeed:
            .bad("lines of the request end in LF alone; expected CR and LF", code: "invalid_http")
        case _ where lines.firstLine.starts(with: "PRI * HTTP/2".utf8), .invalidVersion:
            APIError(
                .httpVersionNotSupported, .invalidRequest, "the version of HTTP is not supported; send HTTP/1.1",
                code: "unsupported_version")
        default: .bad("the bytes are not a valid HTTP/1.1 request", code: "invalid_http")
        }
    }
}
