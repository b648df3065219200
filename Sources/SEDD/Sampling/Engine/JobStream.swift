import Synchronization

/// The events of a job, between the engine that produces them and the request that consumes them.
///
/// Back-pressure: the buffer is bounded, and while it is full the engine skips the job's sequences, so a slow reader
/// slows only itself and memory stays bounded.
package final class JobStream: Sendable, AsyncSequence {
    /// An event of the job.
    package typealias Element = JobEvent

    private struct State {
        var events: [JobEvent] = []
        var end: Result<Void, any Error>?
        var isCancelled = false
        var reader: CheckedContinuation<JobEvent?, any Error>?
    }

    private let state = Mutex(State())
    private let capacity: Int
    /// Called when the engine should look again: buffer space has become free, or the job has been cancelled.
    private let changed: @Sendable () -> Void

    init(capacity: Int, changed: @escaping @Sendable () -> Void) {
        self.capacity = capacity
        self.changed = changed
    }

    // MARK: The engine's side

    /// Whether there is buffer space for the events of the next step.
    var hasRoom: Bool { state.withLock { $0.events.count < capacity } }
    /// Whether the stream has ended.
    var hasEnded: Bool { state.withLock { $0.end != nil } }
    /// Whether the reader has gone.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func send(_ event: JobEvent) {
        let reader = state.withLock { state -> CheckedContinuation<JobEvent?, any Error>? in
            if state.isCancelled { return nil }
            guard let reader = state.reader else {
                state.events.append(event)
                return nil
            }
            state.reader = nil
            return reader
        }
        reader?.resume(returning: event)
    }

    /// Ends the stream after the buffered events have been read.
    func finish(_ end: Result<Void, any Error> = .success(())) {
        let reader = state.withLock { state -> CheckedContinuation<JobEvent?, any Error>? in
            guard state.end == nil else { return nil }
            state.end = end
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(with: end.map { nil })
    }

    // MARK: The request's side

    /// Wakes a waiting reader, so that it can send a heartbeat.
    package func tick() {
        let reader = state.withLock { state -> CheckedContinuation<JobEvent?, any Error>? in
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: .tick)
    }

    /// Tells the engine that the reader has gone: the job's sequences are dropped at the next step.
    package func cancel() {
        let reader = state.withLock { state -> CheckedContinuation<JobEvent?, any Error>? in
            state.isCancelled = true
            state.events = []
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(throwing: CancellationError())
        changed()
    }

    /// The next event; nil once the job is done.
    package func next() async throws -> JobEvent? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (answer, hadNoRoom) = state.withLock {
                    state -> (Result<JobEvent?, any Error>?, Bool) in
                    if state.isCancelled { return (.failure(CancellationError()), false) }
                    if !state.events.isEmpty {
                        let wasFull = state.events.count >= capacity
                        return (.success(state.events.removeFirst()), wasFull)
                    }
                    if let end = state.end { return (end.map { nil }, false) }
                    state.reader = continuation
                    return (nil, false)
                }
                if hadNoRoom { changed() }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            cancel()
        }
    }

    package func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    package struct Iterator: AsyncIteratorProtocol {
        let stream: JobStream
        package func next() async throws -> JobEvent? { try await stream.next() }
    }
}
