import Foundation
import Synchronization

/// Exits if an operation does not return: the engine's own time limits do not cover every call, for example one to the store of a
/// machine that has been disconnected.
///
/// Sums travel around a ring, so a failure is noticed by the neighbors of the failed process, then by theirs, and so on, each of
/// which first finds out who is silent. Once a failure is known, an exchange therefore has only a short time left.
final class Watch: Sendable {
    private struct Operation {
        let line: String
        let begin, deadline: ContinuousClock.Instant
        let exchange: String?
    }

    /// Time that an exchange has left after a failure of another process, to fail and report by itself.
    static let grace = Duration.seconds(Team.twoPulses + 1)

    private let current = Mutex<Operation?>(nil)
    private let heard = Mutex<(reason: String, time: ContinuousClock.Instant)?>(nil)
    private let isOver = Mutex(false)

    /// - Parameter abandon: receives the message of the operation that did not return, and exits.
    init(abandon: @escaping @Sendable (String) -> Never) {
        Thread.detachNewThread { [weak self] in
            while let self, !self.isOver.withLock({ $0 }) {
                if let line = self.late(at: .now) { abandon(line) }
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    /// The reason of the first known failure of another process.
    var failure: String? { heard.withLock { $0?.reason } }

    /// Records the failure of another process; the first one counts.
    func hear(_ reason: String) {
        heard.withLock { heard in
            if heard == nil { heard = (reason, .now) }
        }
    }

    /// Runs `body`, which must return within `limit`.
    ///
    /// - Parameters:
    ///   - line: the message if it does not.
    ///   - exchange: the name of an exchange with all processes, which cannot succeed after a failure of one of them.
    func during<Result, Failure: Error>(
        _ limit: Duration, _ line: @autoclosure () -> String, exchange: String? = nil,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let begin = ContinuousClock.now
        let operation = Operation(line: line(), begin: begin, deadline: begin + limit, exchange: exchange)
        let before = current.withLock { current in
            let before = current
            current = operation
            return before
        }
        defer { current.withLock { $0 = before } }
        return try body()
    }

    /// The message of the current operation if its time is over.
    func late(at now: ContinuousClock.Instant) -> String? {
        let failure = heard.withLock { $0 }
        guard let operation = current.withLock({ $0 }) else { return nil }
        if operation.deadline < now { return operation.line }
        guard let exchange = operation.exchange, let failure,
            max(failure.time, operation.begin) + Self.grace < now
        else { return nil }
        return "\(exchange): given up after a failure (\(failure.reason))\(Team.advice)"
    }

    func stop() { isOver.withLock { $0 = true } }
}
