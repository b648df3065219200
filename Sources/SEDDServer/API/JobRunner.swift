import Files
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SEDD

/// What the endpoints that write text share: their model, the engine, and the way from a job to a response.
struct JobRunner: Sendable {
    let model: ServedModel
    let engine: SamplingEngine
    let limits: ServerLimits

    /// A request's hold on its job: once nobody holds it, nobody will read the rest, and the job is cancelled. So is it with the task
    /// that reads it, which ends with the client's connection.
    final class Reading: Sendable {
        let stream: JobStream
        init(_ stream: JobStream) { self.stream = stream }
        deinit { stream.cancel() }
    }

    /// Has the engine write `sequences`.
    func start(
        _ sequences: [Trajectory], everyStep: Bool, _ context: ServerContext
    ) throws(APIError) -> Reading {
        do throws(SamplingEngine.Refusal) {
            return Reading(
                try engine.submit(
                    Job(sequences: sequences, everyStep: everyStep, deadline: context.arrival + limits.deadline)))
        } catch { throw APIError(error) }
    }

    /// The finished sequences of a job, in order.
    func results(_ reading: Reading) async throws -> [Trajectory] {
        var found: [Int: Trajectory] = [:]
        while let event = try await reading.stream.next() {
            if case .step(let index, let state) = event { found[index] = state }
        }
        return found.keys.sorted().compactMap { found[$0] }
    }

    /// Whether an error says no more than that nobody is there to read.
    static func clientLeft(_ error: any Error) -> Bool {
        error is CancellationError || error is ChannelError || error is IOError || error is NIOAsyncWriterError
    }

    /// A JSON response.
    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try JSON.encoded(value))))
    }

    /// A response that goes on while the job does.
    ///
    /// - Parameters:
    ///   - opening: written at once.
    ///   - isDone: whether what follows in the job would tell nothing new.
    ///   - closing: written once all events are.
    ///   - onError: what to write in place of the rest.
    ///   - body: what to write for a step of a sequence.
    func streamed(
        _ reading: Reading, _ context: ServerContext, opening: ByteBuffer? = nil,
        isDone: @escaping @Sendable () -> Bool = { false },
        closing: @escaping @Sendable () throws -> ByteBuffer? = { nil },
        onError: @escaping @Sendable (APIError) throws -> ByteBuffer,
        body: @escaping @Sendable (Int, Trajectory) throws -> ByteBuffer?
    ) -> Response {
        let last = context.arrival + limits.deadline + limits.receiving
        return Response(
            status: .ok, headers: ServerSentEvent.headers,
            body: ResponseBody { writer in
                let stream = reading.stream
                defer { stream.cancel() }
                // A reader that takes nothing blocks the writer; when its time is over the connection is closed.
                let cut = context.channel.eventLoop.scheduleTask(in: .init(last - .now)) {
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
                defer {
                    context.logger.info(
                        "stream",
                        metadata: [
                            "outcome": "\(outcome)", "milliseconds": "\((.now - context.arrival) / .milliseconds(1))",
                        ])
                }
                do {
                    if let opening { try await writer.write(opening) }
                    while !isDone(), let event = try await stream.next() {
                        switch event {
                        case .tick: try await writer.write(ServerSentEvent.heartbeat)
                        case .step(let index, let state):
                            if let part = try body(index, state) { try await writer.write(part) }
                        }
                    }
                    if let part = try closing() { try await writer.write(part) }
                } catch  where Self.clientLeft(error) {
                    outcome = "client left"
                    throw error
                } catch {
                    let known = APIError(error)
                    outcome = known.code ?? "\(known.status.code)"
                    if known.code == "internal" {
                        context.logger.error("a stream broke off", metadata: ["error": "\(error)"])
                    }
                    try await writer.write(onError(known))
                }
                try await writer.finish(nil)
            })
    }
}

/// Identifiers of answers.
enum AnswerID {
    static func make(_ prefix: String) -> String {
        "\(prefix)-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }
}
