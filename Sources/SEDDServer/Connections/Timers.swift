import NIOCore

/// The timeouts of a connection.
struct Timers {
    enum Name: Hashable {
        /// The rest of a request.
        case arriving
        /// Buffer space for more of a response.
        case taking
        /// The next request.
        case idle
        /// A sign of life from a half-closed client.
        case probe
        /// The client's side of a connection that the server has closed.
        case linger
    }

    private var scheduled: [Name: Scheduled<Void>] = [:]

    mutating func start(
        _ name: Name, in time: TimeAmount, _ context: ChannelHandlerContext, _ action: @escaping () -> Void
    ) {
        stop(name)
        scheduled[name] = context.eventLoop.assumeIsolated().scheduleTask(in: time, action)
    }

    mutating func stop(_ name: Name) { scheduled.removeValue(forKey: name)?.cancel() }

    mutating func stopAll() {
        for timer in scheduled.values { timer.cancel() }
        scheduled = [:]
    }
}
