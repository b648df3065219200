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

    /// The members of a request's body.
    ///
    /// - Throws: ``APIError`` for another content type, a body that is too large, or no JSON object.
    func fields(_ request: Request, _ context: ServerContext) async throws -> RequestFields {
        let type = request.headers[.contentType]?.split(separator: ";").first.map {
            $0.trimmingCharacters(in: .whitespaces).lowercased()
        }
        guard type == "application/json" else {
            throw APIError(
                .unsupportedMediaType, .invalidRequest,
                "the content type is \(type.map { "'\($0.prefix(100))'" } ?? "missing"); expected application/json",
                code: "unsupported_media_type")
        }
        do {
            let body = try await request.body.collect(upTo: limits.bodyBytes)
            return try RequestFields(body: Array(body.readableBytesView))
        } catch let error as APIError {
            throw error
        } catch is NIOTooManyBytesError {
            throw APIError(
                .contentTooLarge, .invalidRequest, "the body has more than \(limits.bodyBytes) bytes; send less",
                code: "body_too_large")
        } catch {
            context.logger.debug("a body broke off", metadata: ["error": "\(error)"])
            throw APIError.invalid(nil, "the body does not arrive as it was announced", code: "broken_body")
        }
    }

    /// A stream of the job's events; it is cancelled when the client's connection closes.
    func start(
        _ sequences: [Trajectory], everyStep: Bool, _ context: ServerContext
    ) throws(APIError) -> JobStream {
        let stream: JobStream
        do throws(SamplingEngine.Refusal) {
            stream = try engine.submit(
                Job(
                    sequences: sequences, everyStep: everyStep,
                    deadline: context.arrival + limits.deadline))
        } catch { throw APIError(error) }
        // Weakly: a connection outlives its requests.
        context.channel.closeFuture.whenComplete { [weak stream] _ in stream?.cancel() }
        return stream
    }

    /// The finished sequences of a job, in order.
    func results(_ stream: JobStream) async throws -> [Trajectory] {
        var found: [Int: Trajectory] = [:]
        while let event = try await stream.next() {
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
        _ stream: JobStream, _ context: ServerContext, opening: ByteBuffer? = nil,
        isDone: @escaping @Sendable () -> Bool = { false },
        closing: @escaping @Sendable () throws -> ByteBuffer? = { nil },
        onError: @escaping @Sendable (APIError) throws -> ByteBuffer,
        body: @escaping @Sendable (Int, Trajectory) throws -> ByteBuffer?
    ) -> Response {
        let last = context.arrival + limits.deadline + limits.receiving
        let headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store",
            // nginx would gather events otherwise.
            .init("X-Accel-Buffering")!: "no",
        ]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
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
