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

    func running(_ sequences: Int) { gauge.record(sequences) }

    func refused() { refusedRequests.increment() }

    func evaluated(sequences: Int, in duration: Duration) {
        let (seconds, attoseconds) = duration.components
        evaluations.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        batch.record(sequences)
    }

    func finished(_ trajectory: Trajectory) {
        finishedSequences.increment()
        writtenTokens.increment(by: trajectory.written)
    }

    func ended(with error: any Error) {
        switch error {
        case is CancellationError: cancelled.increment()
        case SamplingEngine.Refusal.deadline, SamplingEngine.Refusal.stopping: late.increment()
        default: failed.increment()
        }
    }
}
