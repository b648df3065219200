import Testing

/// Input that is not a request of HTTP/1.1 or that this server does not accept, with the status and code of the answer.
extension ConnectionTests {
    struct Refused: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: String
        let status: Int
        let code: String
        var testDescription: String { name }
    }

    static let refused: [Refused] = [
        Refused(
            name: "a long path", bytes: get("/" + String(repeating: "a", count: 20_000)), status: 414,
            code: "uri_too_long"),
        Refused(
            name: "a very long path", bytes: get("/" + String(repeating: "a", count: 300_000)), status: 414,
            code: "uri_too_long"),
        Refused(
            name: "a long query", bytes: get("/healthz?" + String(repeating: "a=b&", count: 8_000)), status: 414,
            code: "uri_too_long"),
        Refused(
            name: "a long header", bytes: get("/healthz", "X-A: \(String(repeating: "a", count: 20_000))\r\n"),
            status: 431,
            code: "headers_too_large"),
        Refused(
            name: "many headers", bytes: get("/healthz", String(repeating: "X-A: b\r\n", count: 150)), status: 431,
            code: "headers_too_large"),
        Refused(
            name: "large headers",
            bytes: get("/healthz", String(repeating: "X-A: \(String(repeating: "b", count: 1000))\r\n", count: 50)),
            status: 431,
            code: "headers_too_large"),
        Refused(
            name: "an unknown method", bytes: "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", status: 501,
            code: "unsupported_method"),
        Refused(
            name: "a proxy's method", bytes: "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", status: 501,
            code: "unsupported_method"),
        Refused(
            name: "another transfer coding",
            bytes: post("/v1/infill", "", "Transfer-Encoding: gzip, chunked\r\n")
                .replacing("Content-Length: 0\r\n", with: "") + "0\r\n\r\n", status: 501,
            code: "unsupported_transfer_coding"),
        Refused(
            name: "two lengths", bytes: post("/v1/infill", "{}", "Content-Length: 3\r\n"), status: 400,
            code: "invalid_http"),
        Refused(
            name: "length and chunks", bytes: post("/v1/infill", "{}", "Transfer-Encoding: chunked\r\n"), status: 400,
            code: "invalid"),
        Refused(
            name: "a negative length", bytes: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", status: 400,
            code: "invalid_http"),
        Refused(name: "no host", bytes: "GET /healthz HTTP/1.1\r\n\r\n", status: 400, code: "invalid_host"),
        Refused(
            name: "two hosts", bytes: "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", status: 400,
            code: "invalid_host"),
        Refused(
            name: "a host with a path", bytes: "GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n", status: 400,
            code: "invalid_host"),
        Refused(
            name: "a later version", bytes: "GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n", status: 505,
            code: "unsupported_version"),
        Refused(
            name: "lines without CR", bytes: "GET /healthz HTTP/1.1\nHost: a\n\n", status: 400, code: "invalid_http"),
        Refused(
            name: "a client of HTTP/2", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505,
            code: "unsupported_version"),
        Refused(name: "no path", bytes: "GET healthz HTTP/1.1\r\nHost: a\r\n\r\n", status: 400, code: "invalid"),
        Refused(
            name: "a client of TLS", bytes: "\u{16}\u{3}\u{1}\u{0}\u{5}\u{1}\u{0}\n\n", status: 400,
            code: "invalid_http"),
        Refused(name: "words", bytes: "what is this?\r\n\r\n", status: 501, code: "unsupported_method"),
    ]
}
