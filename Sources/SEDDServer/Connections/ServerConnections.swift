import HTTPTypes
import HummingbirdCore
import Logging
import Metrics
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Timeouts and limits of a connection, and the observer of malformed requests.
struct ConnectionSettings: Sendable {
    var receiving: TimeAmount
    var idle: TimeAmount
    /// How long a client may take to close its side after the server has closed its own, counted from its last byte.
    var linger: TimeAmount = .seconds(2)
    /// How long after a client half-closes its connection the server probes it, and the interval of later probes.
    var firstProbe: TimeAmount = .seconds(1)
    var furtherProbes: TimeAmount = .seconds(5)
    /// Maximum bytes of a request line or header.
    var lineBytes = 16 << 10
    /// Maximum bytes of all headers.
    var headerBytes = 32 << 10
    /// Maximum number of headers.
    var headers = 100
    var refused: @Sendable (APIError) -> Void = { _ in }

    init(_ limits: ServerLimits) {
        receiving = TimeAmount(limits.receiving)
        idle = TimeAmount(limits.idle)
    }
}

/// A connection's registration.
struct ConnectionPlace: Sendable {
    private static let healthPaths: Set<Substring> = ["/healthz", "/readyz", "/metrics"]

    let connections: Connections
    let number: Int
    /// Whether only health checks are answered.
    let isRestricted: Bool

    func enter(_ phase: Connections.Phase) { connections.enter(phase, number) }
    func leave() { connections.remove(number) }

    /// The response of a restricted connection to anything but a health check.
    func fault(_ target: String) -> APIError? {
        guard isRestricted, !Self.healthPaths.contains(target.prefix { $0 != "?" }) else { return nil }
        return APIError(
            .serviceUnavailable, .server, "all connections are busy; try again in a few seconds",
            code: "too_many_connections", retryAfter: 5)
    }
}

/// Sent by the application to request the body of its request.
struct BodyIsWanted: Sendable {}

/// The pipeline of a connection: a parser, a ``ConnectionHandler``, and a task that answers one request after the
/// other.
struct ServerConnections: ServerChildChannel, HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: Responder
    let settings: ConnectionSettings
    let connections: Connections

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let (number, admission) = connections.admit(channel)
            let place = ConnectionPlace(
                connections: connections, number: number, isRestricted: admission == .restricted)
            channel.closeFuture.whenComplete { _ in place.leave() }
            let pipeline = channel.pipeline.syncOperations
            let lines = LongLineWatch(limit: settings.lineBytes)
            try pipeline.addHandler(lines)
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = settings.lineBytes
            limits.maxHeaderListSize = settings.headerBytes
            limits.maxHeaderFieldCount = settings.headers
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandler(ConnectionHandler(settings: settings, place: place, lines: lines))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            let value = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            if admission == .refused { channel.close(promise: nil) }
            return value
        }
    }

    /// Answers the requests of a connection; work in progress is cancelled when it closes.
    func handle(value: Value, logger: Logger) async {
        let answering = Task { await handleHTTP(asyncChannel: value, logger: logger) }
        value.channel.closeFuture.whenComplete { _ in answering.cancel() }
        await withTaskCancellationHandler {
            await answering.value
        } onCancel: {
            answering.cancel()
        }
    }
}
