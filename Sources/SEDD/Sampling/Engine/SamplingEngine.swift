import Dispatch
import Foundation
import Synchronization

/// Runs the jobs of all requests in shared network evaluations, on a dedicated thread (continuous batching).
///
/// Sequences join and leave between evaluations. Each has its own time, number of steps, template and seed, and its
/// result does not depend on the batch. Jobs get equal shares of the processor, however many sequences they have.
package final class SamplingEngine: Sendable {
    /// Why a job was refused or ended early.
    package enum Refusal: Error, Equatable {
        /// The maximum number of sequences is in progress. The last eighth is reserved for jobs of a single sequence,
        /// so that a few large jobs do not shut out small ones.
        case queueFull
        /// The engine has been asked to stop.
        case stopping
        /// The job's own deadline has passed.
        case deadline
    }

    struct Submission {
        let job: Job
        let stream: JobStream
        let time = ContinuousClock.now
    }

    private struct Inbox {
        var submissions: [Submission] = []
        /// Accepted sequences that have not finished.
        var sequences = 0
        /// The time at which all jobs end at the latest, once the engine is stopping.
        var stop: ContinuousClock.Instant?
        var isStopped = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let inbox = Mutex(Inbox())
    private let wake = DispatchSemaphore(value: 0)
    private let limits: EngineLimits
    private let observer: any EngineObserver

    /// Creates an engine that advances trajectories with `sampler`; its thread runs until ``drain(within:)`` has
    /// finished.
    ///
    /// - Parameter observer: receives events; nil for none.
    package init(
        sampler: Sampler, limits: EngineLimits = EngineLimits(), observer: (any EngineObserver)? = nil
    ) {
        self.limits = limits
        let observer = observer ?? NoObserver()
        self.observer = observer
        let thread = Thread { [self] in
            var loop = EngineLoop(evaluator: sampler.evaluator, limits: limits, observer: observer)
            run(&loop)
        }
        thread.name = "sampling"
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Accepts a job.
    ///
    /// - Throws: ``Refusal`` if too many sequences are in progress or the engine is stopping.
    package func submit(_ job: Job) throws(Refusal) -> JobStream {
        let stream = JobStream(capacity: max(8, 2 * job.sequences.count)) { [wake] in _ = wake.signal() }
        let refusal = inbox.withLock { inbox -> Refusal? in
            guard inbox.stop == nil else { return .stopping }
            let free = limits.running - inbox.sequences
            guard job.sequences.count <= (job.sequences.count == 1 ? free : free - limits.running / 8) else {
                return .queueFull
            }
            inbox.sequences += job.sequences.count
            inbox.submissions.append(Submission(job: job, stream: stream))
            return nil
        }
        if let refusal {
            observer.refused()
            throw refusal
        }
        wake.signal()
        return stream
    }

    /// Whether no sequence is in progress.
    var isIdle: Bool { inbox.withLock { $0.sequences == 0 } }

    /// Whether jobs are accepted.
    package var isAccepting: Bool { inbox.withLock { $0.stop == nil } }

    /// Refuses further jobs and waits until those in progress have finished, for at most `grace` or the remainder of an
    /// earlier call's grace, whichever is shorter.
    package func drain(within grace: Duration) async {
        await withCheckedContinuation { continuation in
            let stopped = inbox.withLock { inbox in
                let stop = ContinuousClock.now + grace
                inbox.stop = inbox.stop.map { min($0, stop) } ?? stop
                if !inbox.isStopped { inbox.waiters.append(continuation) }
                return inbox.isStopped
            }
            if stopped { continuation.resume() }
            wake.signal()
        }
    }

    private func run(_ loop: inout EngineLoop) {
        while true {
            let (new, stop) = inbox.withLock { inbox in
                defer { inbox.submissions = [] }
                return (inbox.submissions, inbox.stop)
            }
            loop.take(new)
            let done = loop.dropEnded(stop: stop)
            inbox.withLock { $0.sequences -= done }
            let worked = loop.step()
            inbox.withLock { $0.sequences -= worked.finished }
            if worked.hasWorked { continue }
            if stop != nil, loop.isEmpty, inbox.withLock({ $0.submissions.isEmpty }) { break }
            // Nothing to do until a submission arrives or a deadline passes.
            _ = wake.wait(timeout: .now() + .milliseconds(loop.isEmpty ? 60_000 : 50))
        }
        let waiters = inbox.withLock { inbox in
            inbox.isStopped = true
            defer { inbox.waiters = [] }
            return inbox.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
