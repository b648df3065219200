import Hummingbird
import SEDD

/// `POST /v1/infill`.
struct InfillEndpoint: Sendable {
    let service: GenerationService
    private var model: ServedModel { service.model }

    func respond(_ request: Request, _ context: ServerContext) async throws -> Response {
        var fields = try await RequestBody.fields(request, context, limit: service.limits.bodyBytes)
        let wanted = try InfillRequest(&fields, model: model, limits: service.limits)
        let (id, model) = (ResponseID.make("infill"), self.model)
        let first = try wanted.sequence(model)
        let job = try service.start([first], everyStep: wanted.isStreamed, context)
        @Sendable func done(_ state: Trajectory) throws -> InfillEvents.Done {
            try .init(
                id: id, state, seconds: (.now - context.arrival) / .seconds(1), model: model)
        }
        guard wanted.isStreamed else {
            guard let state = try await service.results(job).first else { throw CancellationError() }
            return try JSONResponse.make(done(state))
        }
        return service.stream(
            job, context,
            EventStream(
                opening: try ServerSentEvent.json(
                    InfillEvents.Start(id: id, first, model: model), event: "start"),
                step: { _, state in
                    var buffer = try ServerSentEvent.json(InfillEvents.Step(state, model: model), event: "step")
                    if state.isFinished {
                        buffer.writeImmutableBuffer(try ServerSentEvent.json(done(state), event: "done"))
                    }
                    return buffer
                },
                failure: { try ServerSentEvent.json($0, event: "error") }))
    }
}
