import CoreMetrics
import Metrics
import SEDD

/// The engine's reports as metrics.
struct EngineMetrics: EngineObserver {
    private let gauge = Gauge(label: "sedd_sequences_running")
    private let refusedRequests = Counter(label: "sedd_requests_refused")
    private let finishedSequences = Counter(label: "sedd_sequences_finished")
    private let writtenTokens = Counter(label: "sedd_tokens_written")
    private let cancelled = Counter(label: "sedd_requests_cancelled")
    private let late = Counter(label: "sedd_requests_past_deadline")
    private let failed = Counter(label: "sedd_requests_failed")
    private let evaluations = Metrics.Timer(label: "sedd_network_evaluation")
    private let batch = Recorder(label: "sedd_sequences_of_an_evaluation")

    /// From the submission of a request to the first settled token of a sequence.
    private let firstTokens = Metrics.Timer(label: "sedd_time_to_first_settled_token")
    /// From one step of a sequence to its next, including the wait for steps of others.
    private let steps = Recorder(label: "sedd_step_milliseconds")
    /// Network evaluations of a sequence per token written.
    private let evaluationsPerToken = Recorder(label: "sedd_evaluations_per_token")
    /// Tokens of a sequence that were remasked or replaced, per token written.
    private let revisionsPerToken = Recorder(label: "sedd_revisions_per_token")
    private let revisedTokens = Counter(label: "sedd_tokens_revised")

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    func running(_ sequences: Int) { gauge.record(sequences) }

    func refused() { refusedRequests.increment() }

    func evaluated(sequences: Int, in duration: Duration) {
        evaluations.recordNanoseconds(Self.nanoseconds(duration))
        batch.record(sequences)
    }

    func advanced(after duration: Duration) { steps.record(duration / .milliseconds(1)) }

    func settledFirst(after duration: Duration) { firstTokens.recordNanoseconds(Self.nanoseconds(duration)) }

    func finished(_ trajectory: Trajectory, revised: Int) {
        finishedSequences.increment()
        writtenTokens.increment(by: trajectory.written)
        revisedTokens.increment(by: revised)
        // For a template without holes, no token is written.
        guard trajectory.written > 0 else { return }
        evaluationsPerToken.record(Double(trajectory.networkEvaluations) / Double(trajectory.written))
        revisionsPerToken.record(Double(revised) / Double(trajectory.written))
    }

    func ended(with error: any Error) {
        switch error {
        case is CancellationError, SamplingEngine.Refusal.stopping: cancelled.increment()
        case SamplingEngine.Refusal.deadline: late.increment()
        default: failed.increment()
        }
    }
}
