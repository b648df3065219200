import Hummingbird
import SEDD

/// Runs the sequences of requests on the engine; shared by the endpoints that generate text.
struct GenerationService: Sendable {
    let model: ServedModel
    let engine: SamplingEngine
    let limits: ServerLimits

    /// A running job, which is cancelled when its last reference goes, or when the task that reads it is cancelled
    /// because the client has disconnected.
    final class RunningJob: Sendable {
        let stream: JobStream
        init(_ stream: JobStream) { self.stream = stream }
        deinit { stream.cancel() }
    }

    /// Submits `sequences` to the engine.
    ///
    /// - Throws: ``APIError`` if the engine is at capacity or stopping.
    func start(
        _ sequences: [Trajectory], everyStep: Bool, _ context: ServerContext
    ) throws(APIError) -> RunningJob {
        do throws(SamplingEngine.Refusal) {
            return RunningJob(
                try engine.submit(
                    Job(sequences: sequences, everyStep: everyStep, deadline: context.arrival + limits.deadline)))
        } catch { throw APIError(error) }
    }

    /// Waits for the finished sequences of a job, in order.
    func results(_ job: RunningJob) async throws -> [Trajectory] {
        var found: [Int: Trajectory] = [:]
        while let event = try await job.stream.next() {
            if case .step(let index, let state) = event { found[index] = state }
        }
        return found.keys.sorted().compactMap { found[$0] }
    }

    /// Streams the events of a job; see ``EventStream``.
    func stream(_ job: RunningJob, _ context: ServerContext, _ events: EventStream) -> Response {
        events.response(job, context, latest: context.arrival + limits.deadline + limits.receiving)
    }
}

/// Identifiers of responses.
enum ResponseID {
    static func make(_ prefix: String) -> String {
        "\(prefix)-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }
}
