import Files
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1

extension ConnectionHandler {
    /// Starts the timer for a first request.
    func awaitRequest(_ context: ChannelHandlerContext) {
        timers.start(.arriving, in: place.isRestricted ? settings.linger : settings.receiving, context) { [self] in
            close(context)
        }
    }

    /// Starts the timer for the rest of a request, however slowly it arrives; for a pipelined request, when its turn
    /// comes.
    func awaitRest(_ context: ChannelHandlerContext) {
        timers.start(.arriving, in: settings.receiving, context) { [self] in
            guard let current = exchange, !current.hasArrived, !current.answerHasBegun else {
                if exchange?.hasArrived == false { close(context) }
                return
            }
            refuse(
                APIError(
                    .requestTimeout, .invalidRequest,
                    "the body did not arrive within \(settings.receiving.nanoseconds / 1_000_000_000) seconds",
                    code: "request_timeout"),
                context)
        }
    }

    /// Responds in place of the application, and closes the connection.
    func refuse(_ fault: APIError, _ context: ChannelHandlerContext) {
        settings.refused(fault)
        let body = (try? JSON.encode(fault)) ?? []
        var headers = HTTPHeaders([
            ("content-type", "application/json"), ("content-length", "\(body.count)"), ("connection", "close"),
            ("date", HTTPDate.string()),
        ])
        if let seconds = fault.retryAfter { headers.add(name: "retry-after", value: "\(seconds)") }
        let status = HTTPResponseStatus(statusCode: fault.status.code, reasonPhrase: fault.status.reasonPhrase)
        let version: HTTPVersion = exchange?.isHTTP10 == true ? .http1_0 : .http1_1
        context.write(wrapOutboundOut(.head(.init(version: version, status: status, headers: headers))), promise: nil)
        if exchange?.isHead != true {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        }
        writeEnd(wrapOutboundOut(.end(nil)) as NIOAny, nil, context)
        finish(context)
    }

    /// Probes whether a client that has half-closed its connection still waits for the response: a vanished client's
    /// system replies with a reset.
    func probe(_ context: ChannelHandlerContext, after time: TimeAmount) {
        guard let current = exchange, !current.isHTTP10 else { return }
        timers.start(.probe, in: time, context) { [self] in
            guard let current = exchange, !current.answerHasBegun, !isFinished else { return }
            interim(context)
            probe(context, after: settings.furtherProbes)
        }
    }
}
