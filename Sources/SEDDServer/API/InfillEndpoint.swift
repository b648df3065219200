import Hummingbird
import SEDD

/// `POST /v1/infill`.
struct InfillEndpoint: Sendable {
    let runner: JobRunner
    private var model: ServedModel { runner.model }

    func respond(_ request: Request, _ context: ServerContext) async throws -> Response {
        var fields = try await RequestBody.fields(request, context, limit: runner.limits.bodyBytes)
        let wanted = try InfillRequest(&fields, model: model, limits: runner.limits)
        let (id, model) = (AnswerID.make("infill"), self.model)
        let first = try wanted.sequence(model)
        let job = try runner.start([first], everyStep: wanted.isStreamed, context)
        @Sendable func done(_ state: Trajectory) throws -> InfillEvents.Done {
            try .init(
                id: id, state, seconds: (.now - context.arrival) / .seconds(1), model: model)
        }
        guard wanted.isStreamed else {
            guard let state = try await runner.results(job).first else { throw CancellationError() }
            return try JobRunner.response(done(state))
        }
        return runner.streamed(
            job, context,
            opening: try ServerSentEvent.json(
                InfillEvents.Start(id: id, first, model: model), event: "start"),
            onError: { try ServerSentEvent.json($0, event: "error") },
            body: { _, state in
                var buffer = try ServerSentEvent.json(InfillEvents.Step(state, model: model), event: "step")
                if state.isFinished {
                    buffer.writeImmutableBuffer(try ServerSentEvent.json(done(state), event: "done"))
                }
                return buffer
            })
    }
}
