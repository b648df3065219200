import NIOHTTP1

/// The progress of a request and its response.
struct Exchange {
    /// Maximum bytes of an unwanted body that are read to keep the connection alive; after a longer one it is cheaper
    /// to reconnect.
    static let worthDropping = 64 << 10

    /// HTTP/1.0: no chunks, no interim responses, and the connection closes after the response.
    let isHTTP10: Bool
    let isHead: Bool
    /// Whether the connection closes after the response.
    var isLast: Bool
    /// Whether the client waits for `100 Continue` before sending the body.
    var expectsContinue: Bool
    /// Whether the request has been received completely.
    var hasArrived = false
    var answerHasBegun = false
    var answerHasEnded = false
    /// Remaining bytes of the body; nil if its length was not announced.
    private var remaining: Int?

    init(_ head: HTTPRequestHead) {
        isHTTP10 = head.version.minor < 1
        isHead = head.method == .HEAD
        isLast = RequestHeadCheck.endsConnection(head)
        expectsContinue = RequestHeadCheck.expectsContinue(head)
        remaining =
            head.headers.contains(name: "transfer-encoding")
            ? nil : head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    }

    mutating func received(_ bytes: Int) {
        // A client that sends its body no longer waits.
        expectsContinue = false
        remaining = remaining.map { $0 - bytes }
    }

    /// Whether a response that starts now must be the last: the rest of the request would have to be read first.
    var mustEndHere: Bool {
        isLast || !hasArrived && (expectsContinue || (remaining ?? .max) > Self.worthDropping)
    }
}
