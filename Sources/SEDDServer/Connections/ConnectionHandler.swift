import NIOCore
import NIOExtras
import NIOHTTP1

/// One connection as RFC 9112 has it: a request at a time however many come ahead, HTTP/1.0 without chunks, `100 Continue` when the
/// body is wanted, an answer for what is not a request, an end that loses nothing, and a time for everything.
///
/// It stands between the parser and everything else, which sees well-formed requests of HTTP/1.1, the next once the last is answered.
/// A client that closes its side still gets its answers; whether it is there at all is found out by writing to it.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    let settings: ConnectionSettings
    let place: ConnectionPlace
    let lines: LongLineWatch
    var timers = Timers()
    /// The request that is being taken and answered.
    var exchange: Exchange?
    var ahead = PipelinedParts()
    /// Whether nothing that comes in counts any more: the parser has given up.
    private var inputHasFailed = false
    /// Whether the client has closed its side.
    var inputHasClosed = false
    /// Whether the rest of the pipeline knows that nothing more comes.
    private var endIsTold = false
    /// Whether the last answer has been written.
    var isFinished = false
    /// Whether the server is stopping.
    private var isStopping = false
    private var readIsHeld = false
    private var isLingering = false
    private var mustLinger = false
    /// Answers whose ends have not left yet.
    private var leaving = 0

    init(settings: ConnectionSettings, place: ConnectionPlace, lines: LongLineWatch) {
        self.settings = settings
        self.place = place
        self.lines = lines
    }

    // MARK: What comes in

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

    /// Passes a part of the current request on.
    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(var head):
            exchange = Exchange(head)
            place.enter(.receiving)
            if let fault = place.fault(head.uri) ?? RequestHeadCheck.fault(head) { return refuse(fault, context) }
            head.uri = RequestTarget.normalized(head.uri)
            if place.isRestricted { exchange?.isLast = true }
            // The one spelling that is understood further on.
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

    /// After an answer: the next request, if it has come already.
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
            // Whoever reads the body is told, and answers; a body that nobody reads is answered already.
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
            // Unless something has come meanwhile, or an answer has not left yet.
            if exchange?.hasArrived != true, leaving == 0 { close(context) }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Nothing more will come, and all that has come is passed on.
    private func inputEnded(_ context: ChannelHandlerContext) {
        guard let current = exchange else { return finish(context) }
        exchange?.isLast = true
        tellEnd(context)
        if current.answerHasEnded { finish(context) } else { probe(context, after: settings.firstProbe) }
    }

    /// Tells the rest of the pipeline that nothing more comes.
    func tellEnd(_ context: ChannelHandlerContext) {
        if endIsTold { return }
        endIsTold = true
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    // MARK: What goes out

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

    /// Writes the end of an answer, and goes on with the end of the connection, where that is due, once it has left.
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
        // The end comes after the last answer; of one that has broken off no end will come.
        if exchange == nil { finish(context) } else if exchange?.answerHasEnded == false, !isFinished { close(context) }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is BodyIsWanted else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if let current = exchange, current.expectsContinue, !current.answerHasBegun, !isFinished { interim(context) }
        exchange?.expectsContinue = false
        promise?.succeed()
    }

    /// `100 Continue`, which every client of HTTP/1.1 reads and passes over.
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

    // MARK: The end

    func channelInactive(context: ChannelHandlerContext) {
        timers.stopAll()
        place.leave()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { timers.stopAll() }

    /// Ends the connection once all answers have left.
    func finish(_ context: ChannelHandlerContext) {
        if isFinished { return }
        isFinished = true
        // Of a client that is still sending the end takes longer.
        mustLinger = inputHasFailed || !ahead.isEmpty || exchange?.hasArrived == false
        ahead.removeAll()
        for name in [Timers.Name.arriving, .idle, .probe] { timers.stop(name) }
        if leaving == 0 { endOutput(context) }
    }

    /// Closes the connection; while the client may still be sending, the server's side first: otherwise its system would throw the
    /// answer away when that arrives (RFC 9112, section 9.6).
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

    /// Waits a little longer for the client to close its side.
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
