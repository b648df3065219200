import NIOCore
import NIOExtras
import NIOHTTP1

/// HTTP/1.1 connection semantics (RFC 9112): one request at a time despite pipelining, HTTP/1.0 without chunks, `100
/// Continue` when the body is wanted, responses to malformed input, lossless closing, and timeouts for everything.
///
/// It sits between the parser and the application, which sees only well-formed HTTP/1.1 requests, each after the
/// previous response. A client that half-closes the connection still gets its responses; whether it exists is
/// determined by writing to it.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    let settings: ConnectionSettings
    let place: ConnectionPlace
    let lines: LongLineWatch
    var timers = Timers()
    /// The request being received and answered.
    var exchange: Exchange?
    var ahead = PipelinedParts()
    /// Whether further input is ignored because the parser has failed.
    private var inputHasFailed = false
    /// Whether the client has closed its side.
    var inputHasClosed = false
    /// Whether the rest of the pipeline has been told that input has ended.
    private var endIsTold = false
    /// Whether the last response has been written.
    var isFinished = false
    /// Whether the server is shutting down.
    private var isStopping = false
    private var readIsHeld = false
    private var isLingering = false
    private var mustLinger = false
    /// Responses whose ends have not been flushed.
    private var leaving = 0

    init(settings: ConnectionSettings, place: ConnectionPlace, lines: LongLineWatch) {
        self.settings = settings
        self.place = place
        self.lines = lines
    }

    // MARK: Input

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { awaitRequest(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        awaitRequest(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isLingering { linger(context) }
        guard !isFinished, !inputHasFailed else { return }
        let part = unwrapInboundIn(data)
        timers.stop(.idle)
        switch part {
        case .head: awaitRest(context)
        case .body: break
        case .end: timers.stop(.arriving)
        }
        if ahead.isEmpty, exchange?.hasArrived != true { take(part, context) } else { ahead.append(.part(part)) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if isLingering { context.read() }
    }

    func read(context: ChannelHandlerContext) {
        readIsHeld = ahead.isFull && !isFinished
        if !readIsHeld { context.read() }
    }

    /// Forwards a part of the current request.
    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(var head):
            exchange = Exchange(head)
            place.enter(.receiving)
            if let fault = place.fault(head.uri) ?? RequestHeadCheck.fault(head) { return refuse(fault, context) }
            head.uri = RequestTarget.normalized(head.uri)
            if place.isRestricted { exchange?.isLast = true }
            // The only spelling that later handlers recognize.
            if exchange?.isLast == true { head.headers.replaceOrAdd(name: "connection", value: "close") }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body(let bytes):
            exchange?.received(bytes.readableBytes)
            context.fireChannelRead(wrapInboundOut(part))
        case .end:
            exchange?.hasArrived = true
            place.enter(.answering)
            context.fireChannelRead(wrapInboundOut(part))
            if exchange?.answerHasEnded == true { conclude(context) }
        }
    }

    /// After a response: starts the next request, if it has already arrived.
    private func conclude(_ context: ChannelHandlerContext) {
        exchange = nil
        if isFinished { return }
        if isStopping { return finish(context) }
        var hasTaken = false
        while exchange?.hasArrived != true, !isFinished, let item = ahead.popFirst() {
            hasTaken = true
            switch item {
            case .part(let part): take(part, context)
            case .fault(let fault): refuse(fault, context)
            }
        }
        if hasTaken { context.fireChannelReadComplete() }
        if isFinished { return }
        if readIsHeld, !ahead.isFull { read(context: context) }
        if inputHasClosed, ahead.isEmpty {
            inputEnded(context)
        } else if exchange == nil {
            place.enter(.idle)
            timers.start(.idle, in: settings.idle, context) { [self] in finish(context) }
        } else if exchange?.hasArrived == false {
            awaitRest(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        guard !inputHasFailed, !isFinished else { return }
        inputHasFailed = true
        timers.stop(.arriving)
        timers.stop(.idle)
        let fault = APIError.unreadable(error, lines, limit: settings.lineBytes)
        if let current = exchange, !current.hasArrived {
            // A reader of the body is notified and responds; otherwise the request has been answered already.
            exchange?.isLast = true
            context.fireErrorCaught(error)
            if current.answerHasEnded { finish(context) }
        } else if exchange == nil, ahead.isEmpty {
            refuse(fault, context)
        } else {
            ahead.append(.fault(fault))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            inputHasClosed = true
            if isLingering { close(context) } else if !isFinished, ahead.isEmpty { inputEnded(context) }
        case is ChannelShouldQuiesceEvent:
            isStopping = true
            ahead.removeAll()
            if exchange == nil { finish(context) } else { exchange?.isLast = true }
        case is Connections.MakeRoom:
            // Unless input has arrived since, or a response has not been flushed.
            if exchange?.hasArrived != true, leaving == 0 { close(context) }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Input has ended, and all of it has been forwarded.
    private func inputEnded(_ context: ChannelHandlerContext) {
        guard let current = exchange else { return finish(context) }
        exchange?.isLast = true
        tellEnd(context)
        if current.answerHasEnded { finish(context) } else { probe(context, after: settings.firstProbe) }
    }

    /// Tells the rest of the pipeline that input has ended.
    func tellEnd(_ context: ChannelHandlerContext) {
        if endIsTold { return }
        endIsTold = true
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    // MARK: Output

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isFinished, let current = exchange, !current.answerHasEnded else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let head) where (100..<200).contains(head.status.code): context.write(data, promise: promise)
        case .head(var head):
            exchange?.answerHasBegun = true
            timers.stop(.probe)
            let closes = head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
            if current.mustEndHere || closes || isStopping {
                exchange?.isLast = true
                head.headers.replaceOrAdd(name: "connection", value: "close")
            }
            if current.isHTTP10 { head.version = .http1_0 }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body where current.isHead: promise?.succeed()
        case .body: context.write(data, promise: promise)
        case .end:
            exchange?.answerHasEnded = true
            writeEnd(data, promise, context)
            if exchange?.isLast == true { finish(context) } else if current.hasArrived { conclude(context) }
        }
    }

    /// Writes the end of a response and, once it is flushed, closes the connection if that is due.
    func writeEnd(_ data: NIOAny, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        let written = promise ?? context.eventLoop.makePromise()
        leaving += 1
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in
            let (handler, context) = bound.value
            handler.leaving -= 1
            if handler.isFinished, handler.leaving == 0 { handler.endOutput(context) }
        }
        context.writeAndFlush(data, promise: written)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else {
            timers.stopAll()
            return context.close(mode: mode, promise: promise)
        }
        promise?.succeed()
        // Closes after the last response; an aborted response has no end to wait for.
        if exchange == nil { finish(context) } else if exchange?.answerHasEnded == false, !isFinished { close(context) }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is BodyIsWanted else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if let current = exchange, current.expectsContinue, !current.answerHasBegun, !isFinished { interim(context) }
        exchange?.expectsContinue = false
        promise?.succeed()
    }

    /// `100 Continue`, which every HTTP/1.1 client accepts.
    func interim(_ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(.head(.init(version: .http1_1, status: .continue))), promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            timers.stop(.taking)
        } else {
            timers.start(.taking, in: settings.receiving, context) { [self] in close(context) }
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Closing

    func channelInactive(context: ChannelHandlerContext) {
        timers.stopAll()
        place.leave()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { timers.stopAll() }

    /// Closes the connection once all responses have been flushed.
    func finish(_ context: ChannelHandlerContext) {
        if isFinished { return }
        isFinished = true
        // If the client is still sending, closing takes longer.
        mustLinger = inputHasFailed || !ahead.isEmpty || exchange?.hasArrived == false
        ahead.removeAll()
        for name in [Timers.Name.arriving, .idle, .probe] { timers.stop(name) }
        if leaving == 0 { endOutput(context) }
    }

    /// Closes the connection; if the client may still be sending, the server's side first: otherwise the client's
    /// system would discard the response when that data is rejected (RFC 9112, section 9.6).
    private func endOutput(_ context: ChannelHandlerContext) {
        guard context.channel.isActive, mustLinger, !inputHasClosed else { return close(context) }
        place.enter(.idle)
        context.close(mode: .output, promise: nil)
        tellEnd(context)
        isLingering = true
        linger(context)
        timers.start(.arriving, in: settings.receiving, context) { [self] in close(context) }
        context.read()
    }

    /// Waits briefly for the client to close its side.
    private func linger(_ context: ChannelHandlerContext) {
        timers.start(.linger, in: settings.linger, context) { [self] in close(context) }
    }

    func close(_ context: ChannelHandlerContext) {
        isFinished = true
        timers.stopAll()
        context.close(promise: nil)
    }
}

@available(*, unavailable)
extension ConnectionHandler: Sendable {}
