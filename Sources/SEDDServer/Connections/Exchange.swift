import NIOHTTP1

/// A request and its answer, as far as they have come.
struct Exchange {
    /// Bytes of a body that are read and dropped for the sake of the connection; a longer one costs less to cut off.
    static let worthDropping = 64 << 10

    /// HTTP/1.0: no chunks, no interim answers, and the connection ends with the answer.
    let isHTTP10: Bool
    let isHead: Bool
    /// Whether the connection ends with the answer.
    var isLast: Bool
    /// Whether the client waits for word before it sends the body.
    var expectsContinue: Bool
    /// Whether the request has arrived whole.
    var hasArrived = false
    var answerHasBegun = false
    var answerHasEnded = false
    /// Bytes of body that are still to come; nil where their number was not announced.
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
        // A client that sends its body does not wait any more.
        expectsContinue = false
        remaining = remaining.map { $0 - bytes }
    }

    /// Whether an answer that begins now cannot be followed by another: what is left of the request would have to be read first.
    var mustEndHere: Bool {
        isLast || !hasArrived && (expectsContinue || (remaining ?? .max) > Self.worthDropping)
    }
}
