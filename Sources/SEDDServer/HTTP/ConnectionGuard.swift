import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections whose request does not arrive in time, however slowly it trickles, whose client takes nothing of its answer,
/// or whose client has left.
///
/// A client that closes its side of the connection counts as gone: nobody waits for work that nobody will read. To see it, reading
/// must go on; so a client may not send much of further requests while it waits for an answer.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Parts of further requests that may arrive ahead; fewer than stop the reading behind this handler.
    private static let mostAhead = 6

    private let limit: TimeAmount
    private var arriving: Scheduled<Void>?
    private var taking: Scheduled<Void>?
    /// Parts of each request that has no whole answer yet, the oldest first.
    private var parts: [Int] = []

    /// - Parameter limit: for a request's head, for its body, and for the client to make room for more of an answer.
    init(limit: Duration) {
        self.limit = TimeAmount(limit)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(&arriving, context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        start(&arriving, context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = unwrapInboundIn(data)
        switch part {
        case .head(var head):
            start(&arriving, context)
            parts.append(0)
            if Self.asksToClose(head) {
                // The one spelling that is understood further on.
                head.headerFields[.connection] = "close"
                part = .head(head)
            }
        case .body: break
        case .end: stop(&arriving)
        }
        if !parts.isEmpty { parts[parts.count - 1] += 1 }
        guard parts.dropFirst().reduce(0, +) <= Self.mostAhead else {
            context.close(promise: nil)
            return
        }
        context.fireChannelRead(wrapInboundOut(part))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), !parts.isEmpty { parts.removeFirst() }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { stop(&taking) } else { start(&taking, context) }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopAll()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stopAll() }

    private static func asksToClose(_ head: HTTPRequest) -> Bool {
        (head.headerFields[.connection] ?? "").split(separator: ",").contains {
            $0.drop { $0 == " " }.prefix { $0 != " " }.lowercased() == "close"
        }
    }

    private func start(_ timer: inout Scheduled<Void>?, _ context: ChannelHandlerContext) {
        stop(&timer)
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    private func stop(_ timer: inout Scheduled<Void>?) {
        timer?.cancel()
        timer = nil
    }

    private func stopAll() {
        stop(&arriving)
        stop(&taking)
    }
}

@available(*, unavailable)
extension ConnectionGuard: Sendable {}
