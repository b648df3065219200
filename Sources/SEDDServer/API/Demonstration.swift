import Files
import Hummingbird
import Logging
import NIOCore
import SEDD
import Synchronization

/// `GET /v1/demonstration`: one run of the served model, generated once and kept, which the page plays on arrival.
///
/// The served model itself generates it on the first request, which sees it as it is generated; later requests get the
/// stored events without network evaluations. Template, seed and settings are those of the first example of the model's
/// card; without an example, the text is generated unconditionally. A failed run is not kept: the next request starts
/// another.
final class Demonstration: Sendable {
    /// Alternatives that each change reports, as many as the page requests for its own runs.
    static let alternatives = 8
    /// Length of an unconditional text, tokens, unless the model's length is smaller.
    static let freeLength = 128
    private static let seed: UInt64 = 1

    private typealias Reader = AsyncThrowingStream<ByteBuffer, any Error>.Continuation

    private struct Record {
        /// The events so far, one per step.
        var events: [ByteBuffer] = []
        var isRunning = false
        var isComplete = false
        var readers: [Reader] = []
    }

    private let record = Mutex(Record())
    private let service: GenerationService

    init(service: GenerationService) { self.service = service }

    func respond(_ context: ServerContext) throws -> Response {
        let events = try follow()
        let latest = context.arrival + service.limits.deadline + service.limits.receiving
        return Response(
            status: .ok, headers: ServerSentEvent.headers,
            body: ResponseBody { writer in
                // A stalled reader blocks the writer.
                let cut = context.channel.eventLoop.scheduleTask(in: .init(latest - .now)) {
                    context.channel.close(promise: nil)
                }
                defer { cut.cancel() }
                do {
                    for try await event in events { try await writer.write(event) }
                } catch  where EventStream.isDisconnect(error) {
                    throw error
                } catch {
                    let known = APIError(error)
                    if known.code == "internal" {
                        context.logger.error("the recorded run failed", metadata: ["error": "\(error)"])
                    }
                    try await writer.write(ServerSentEvent.json(known, event: "error"))
                }
                try await writer.finish(nil)
            })
    }

    /// The events from the first one on; starts the run unless there is one.
    private func follow() throws -> AsyncThrowingStream<ByteBuffer, any Error> {
        let (stream, reader) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
        let mustStart = record.withLock { record in
            for event in record.events { reader.yield(event) }
            if record.isComplete {
                reader.finish()
                return false
            }
            record.readers.append(reader)
            defer { record.isRunning = true }
            return !record.isRunning
        }
        if mustStart {
            do { try start() } catch {
                end(with: error)
                throw error
            }
        }
        return stream
    }

    private func start() throws {
        let model = service.model
        let (id, begin) = (ResponseID.make("infill"), ContinuousClock.now)
        let first = try model.sampler.start(try request(model))
        let job = try service.engine.submit(
            Job(sequences: [first], everyStep: true, deadline: begin + service.limits.deadline))
        add(try InfillEvents.opening(id: id, first, model))
        // Independent of the request that started it: if its client disconnects, the run is still completed and kept.
        Task {
            do {
                for try await case .step(_, let state) in job {
                    add(try InfillEvents.following(id: id, state, since: begin, model))
                }
                end(with: nil)
            } catch { end(with: error) }
        }
    }

    private func request(_ model: ServedModel) throws -> Sampler.Request {
        let example = model.card?.examples?.first
        let length = example == nil ? min(Self.freeLength, model.length, service.limits.length) : example?.length
        let positions = try Template(example?.template ?? "[[*]]")
            .positions(tokenizer: model.tokenizer, length: length, modelLength: model.length)
        guard positions.count <= service.limits.length else {
            throw SEDDError(
                .usage,
                "the card's first example has \(positions.count) tokens; this server takes \(service.limits.length)")
        }
        var settings = model.card?.sampling ?? SamplingFields.defaults
        settings.steps = min(settings.steps, service.limits.steps)
        return Sampler.Request(
            template: positions, seed: example?.seed.map { UInt64(bitPattern: Int64($0)) } ?? Self.seed,
            settings: settings, alternatives: Self.alternatives)
    }

    private func add(_ event: ByteBuffer) {
        record.withLock { record in
            record.events.append(event)
            for reader in record.readers { reader.yield(event) }
        }
    }

    private func end(with error: (any Error)?) {
        let readers = record.withLock { record in
            defer { record.readers = [] }
            record.isRunning = false
            record.isComplete = error == nil
            if error != nil { record.events = [] }
            return record.readers
        }
        for reader in readers { reader.finish(throwing: error) }
    }
}
