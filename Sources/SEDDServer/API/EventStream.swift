import Hummingbird
import Logging
import NIOCore
import SEDD

/// A response of server-sent events that follows a job.
struct EventStream: Sendable {
    /// Written before the first event.
    var opening: ByteBuffer?
    /// Whether the remaining events of the job are not needed.
    var isDone: @Sendable () -> Bool = { false }
    /// What to write for a step of a sequence; nil for nothing.
    var step: @Sendable (Int, Trajectory) throws -> ByteBuffer?
    /// What to write after the last event.
    var closing: @Sendable () throws -> ByteBuffer? = { nil }
    /// What to write in place of the remaining events if the job fails.
    var failure: @Sendable (APIError) throws -> ByteBuffer

    /// Whether an error only means that the client has disconnected.
    static func isDisconnect(_ error: any Error) -> Bool {
        error is CancellationError || error is ChannelError || error is IOError || error is NIOAsyncWriterError
    }

    /// The response, which ends with the job.
    ///
    /// - Parameter latest: when the connection is closed at the latest: a stalled reader blocks the writer.
    func response(
        _ job: GenerationService.RunningJob, _ context: ServerContext, latest: ContinuousClock.Instant
    ) -> Response {
        Response(
            status: .ok, headers: ServerSentEvent.headers,
            body: ResponseBody { writer in
                let stream = job.stream
                defer { stream.cancel() }
                let cut = context.channel.eventLoop.scheduleTask(in: .init(latest - .now)) {
                    context.channel.close(promise: nil)
                }
                defer { cut.cancel() }
                let ticking = Task {
                    while !Task.isCancelled {
                        try await Task.sleep(for: .seconds(10))
                        stream.tick()
                    }
                }
                defer { ticking.cancel() }
                var outcome = "done"
                defer { log(outcome, context) }
                do {
                    try await write(stream, to: &writer)
                } catch  where Self.isDisconnect(error) {
                    outcome = "client disconnected"
                    throw error
                } catch {
                    let known = APIError(error)
                    outcome = known.code ?? "\(known.status.code)"
                    if known.code == "internal" {
                        context.logger.error("a stream failed", metadata: ["error": "\(error)"])
                    }
                    try await writer.write(failure(known))
                }
                try await writer.finish(nil)
            })
    }

    private func write(_ stream: JobStream, to writer: inout any ResponseBodyWriter) async throws {
        if let opening { try await writer.write(opening) }
        while !isDone(), let event = try await stream.next() {
            switch event {
            case .tick: try await writer.write(ServerSentEvent.heartbeat)
            case .step(let index, let state):
                if let part = try step(index, state) { try await writer.write(part) }
            }
        }
        if let part = try closing() { try await writer.write(part) }
    }

    private func log(_ outcome: String, _ context: ServerContext) {
        let milliseconds = (context.arrival.duration(to: .now)) / .milliseconds(1)
        context.logger.info("stream", metadata: ["outcome": "\(outcome)", "milliseconds": "\(milliseconds)"])
    }
}
