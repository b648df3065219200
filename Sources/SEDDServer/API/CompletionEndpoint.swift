import Files
import Foundation
import Hummingbird
import NIOCore
import SEDD
import Synchronization

/// `POST /v1/completions`.
struct CompletionEndpoint: Sendable {
    let service: GenerationService
    private var model: ServedModel { service.model }

    func respond(_ request: Request, _ context: ServerContext) async throws -> Response {
        var fields = try await RequestBody.fields(request, context, limit: service.limits.bodyBytes)
        let wanted = try CompletionRequest(&fields, model: model, limits: service.limits)
        let answer = Answer(wanted, model: model)
        var response: Response
        if wanted.tokens == 0 {
            response = try echoOnly(answer)
        } else {
            let job = try service.start(
                wanted.sequences(model), everyStep: wanted.isStreamed, context)
            response =
                wanted.isStreamed
                ? streamed(job, answer, context)
                : try JSONResponse.make(answer.whole(await service.results(job)))
        }
        if !wanted.ignored.isEmpty {
            response.headers[.ignoredParameters] = wanted.ignored.joined(separator: ", ")
        }
        return response
    }

    /// `max_tokens` 0: returns the prompts if `echo` is set, without a network evaluation.
    private func echoOnly(_ answer: Answer) throws -> Response {
        let choices = (0..<answer.count).map { index in
            CompletionResponse.Choice(index: index, text: answer.echo(index), finishReason: "length")
        }
        guard answer.request.isStreamed else {
            return try JSONResponse.make(answer.response(choices, usage: answer.usage(answer.count)))
        }
        var events = ByteBuffer()
        for choice in choices { events.writeImmutableBuffer(try ServerSentEvent.json(answer.response([choice]))) }
        events.writeImmutableBuffer(try answer.closing())
        return Response(status: .ok, headers: ServerSentEvent.headers, body: ResponseBody(byteBuffer: events))
    }

    private func streamed(_ job: GenerationService.RunningJob, _ answer: Answer, _ context: ServerContext) -> Response {
        let cursor = StreamCursor(sequences: answer.count)
        return service.stream(
            job, context,
            EventStream(
                isDone: { cursor.isAtEnd },
                step: { index, state in
                    let text = try answer.text(index, state)
                    guard let more = cursor.advance(index, to: text, echo: answer.echo(index)) else { return nil }
                    return try ServerSentEvent.json(
                        answer.response([.init(index: index, text: more, finishReason: text.finishReason)]))
                },
                closing: { try answer.closing() },
                failure: { try ServerSentEvent.json($0) }))
    }

    /// How far each sequence of a stream has been sent.
    private final class StreamCursor: Sendable {
        private struct Sequence {
            var text = ""
            var hasBegun = false
            var hasEnded = false
        }

        private let sequences: Mutex<[Sequence]>

        init(sequences: Int) {
            self.sequences = Mutex(Array(repeating: Sequence(), count: sequences))
        }

        /// Whether every sequence has been sent to its end, or to a stop sequence.
        var isAtEnd: Bool { sequences.withLock { $0.allSatisfy(\.hasEnded) } }

        /// The text to send next; nil if there is none.
        func advance(_ index: Int, to text: CompletionText, echo: String) -> String? {
            sequences.withLock { sequences in
                guard !sequences[index].hasEnded else { return nil }
                var more = String(decoding: text.text.utf8.dropFirst(sequences[index].text.utf8.count), as: UTF8.self)
                if !sequences[index].hasBegun, !echo.isEmpty { more = echo + more }
                guard !more.isEmpty || text.finishReason != nil else { return nil }
                sequences[index].text = text.text
                sequences[index].hasBegun = true
                sequences[index].hasEnded = text.finishReason != nil
                return more
            }
        }
    }

    /// The response to one request, complete or streamed.
    private struct Answer: Sendable {
        let request: CompletionRequest
        let model: ServedModel
        let id = ResponseID.make("cmpl")
        let created = Int(Date().timeIntervalSince1970)

        init(_ request: CompletionRequest, model: ServedModel) {
            self.request = request
            self.model = model
        }

        /// Number of sequences over all prompts.
        var count: Int { request.prompts.count * request.count }

        private func prompt(_ index: Int) -> [Int] { request.prompts[index / request.count] }

        func echo(_ index: Int) -> String {
            request.echo ? (try? model.text(prompt(index))) ?? "" : ""
        }

        func text(_ index: Int, _ state: Trajectory) throws -> CompletionText {
            let start = prompt(index).count
            return try CompletionText(state, hole: start..<start + request.tokens, stops: request.stops, model: model)
        }

        func usage(_ sequences: Int) -> Usage {
            let given = request.prompts.reduce(0) { $0 + $1.count + request.suffix.count }
            return Usage(promptTokens: given, completionTokens: sequences * request.tokens)
        }

        func response(_ choices: [CompletionResponse.Choice], usage: Usage? = nil) -> CompletionResponse {
            CompletionResponse(
                id: id, created: created, model: model.name, choices: choices, usage: usage,
                seed: SeedNumber(request.fields.seed),
                settings: request.fields.settings)
        }

        /// The last events of a stream.
        func closing() throws -> ByteBuffer {
            var buffer = ByteBuffer()
            if request.streamsUsage {
                buffer.writeImmutableBuffer(try ServerSentEvent.json(response([], usage: usage(count))))
            }
            buffer.writeImmutableBuffer(ServerSentEvent.done)
            return buffer
        }

        func whole(_ states: [Trajectory]) throws -> CompletionResponse {
            let choices = try states.enumerated().map { index, state in
                let text = try text(index, state)
                return CompletionResponse.Choice(
                    index: index, text: echo(index) + text.text, finishReason: text.finishReason)
            }
            return response(choices, usage: usage(states.count))
        }
    }
}
