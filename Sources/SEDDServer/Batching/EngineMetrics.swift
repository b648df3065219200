import Metrics
import SEDD

/// What the engine counts.
struct EngineMetrics: Sendable {
    /// Sequences that are under way now.
    let running = Gauge(label: "sedd_sequences_running")
    /// Requests that were not taken.
    let refused = Counter(label: "sedd_requests_refused")
    private let finishedSequences = Counter(label: "sedd_sequences_finished")
    private let writtenTokens = Counter(label: "sedd_tokens_written")
    private let cancelled = Counter(label: "sedd_requests_cancelled")
    private let late = Counter(label: "sedd_requests_past_deadline")
    private let failed = Counter(label: "sedd_requests_failed")
    private let evaluations = Metrics.Timer(label: "sedd_network_evaluation")
    private let batch = Recorder(label: "sedd_sequences_of_an_evaluation")

    func evaluated(sequences: Int, in duration: Duration) {
        let (seconds, attoseconds) = duration.components
        evaluations.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        batch.record(sequences)
    }

    func finished(_ state: SequenceState) {
        finishedSequences.increment()
        writtenTokens.increment(by: state.template.count { $0 == nil })
    }

    /// Counts a job that ended with `error`.
    func count(_ error: any Error) {
        switch error {
        case is CancellationError: cancelled.increment()
        case SamplingEngine.Refusal.deadline, SamplingEngine.Refusal.stopping: late.increment()
        default: failed.increment()
        }
    }
}
