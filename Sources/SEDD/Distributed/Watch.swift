import Foundation
import Synchronization

/// Exits if an operation does not return: the engine's own time limits do not cover every call, for example one to the store of a
/// machine that has been disconnected.
final class Watch: Sendable {
    private let current = Mutex<(line: String, deadline: ContinuousClock.Instant)?>(nil)
    private let isOver = Mutex(false)

    /// - Parameter abandon: receives the message of the operation that did not return, and exits.
    init(abandon: @escaping @Sendable (String) -> Never) {
        Thread.detachNewThread { [weak self] in
            while let self, !self.isOver.withLock({ $0 }) {
                let late = self.current.withLock { current in
                    current.flatMap { $0.deadline < .now ? $0.line : nil }
                }
                if let late { abandon(late) }
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    /// Runs `body`, which must return within `limit`.
    ///
    /// - Parameter line: the message if it does not.
    func during<Result, Failure: Error>(
        _ limit: Duration, _ line: @autoclosure () -> String, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let line = line()
        let before = current.withLock { current in
            let before = current
            current = (line, .now + limit)
            return before
        }
        defer { current.withLock { $0 = before } }
        return try body()
    }

    func stop() { isOver.withLock { $0 = true } }
}
