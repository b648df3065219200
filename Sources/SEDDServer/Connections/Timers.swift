import NIOCore

/// What a connection waits for, each with a time after which it waits no more.
struct Timers {
    enum Name: Hashable {
        /// The rest of a request.
        case arriving
        /// Room for more of an answer.
        case taking
        /// The next request.
        case idle
        /// A sign of life from a client that has closed its side.
        case probe
        /// The client's end of a connection that the server has ended.
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
