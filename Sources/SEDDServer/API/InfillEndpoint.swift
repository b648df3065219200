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
        guard wanted.isStreamed else {
            guard let state = try await service.results(job).first else { throw CancellationError() }
            return try JSONResponse.make(
                InfillEvents.Done(id: id, state, seconds: (.now - context.arrival) / .seconds(1), model: model))
        }
        return service.stream(
            job, context,
            EventStream(
                opening: try InfillEvents.opening(id: id, first, model),
                step: { try InfillEvents.following(id: id, $1, since: context.arrival, model) },
                failure: { try ServerSentEvent.json($0, event: "error") }))
    }
}
