import Foundation
import Synchronization
import Torch

/// Increments a key of the store every second, so that other processes can tell a busy process from a dead one, and looks there
/// for failures of others.
///
/// It uses its own connection, so that it is not blocked by operations of other threads.
final class Pulse: Sendable {
    /// Seconds between increments.
    static let interval = 1.0

    /// The key for the reason of the first failure.
    static let failureKey = "failure"

    private let isOver = Mutex(false)

    /// - Parameter watch: is told of a failure.
    init(_ store: KeyStore, rank: Int, _ watch: Watch) {
        Thread.detachNewThread { [weak self] in
            while let self, !self.isOver.withLock({ $0 }) {
                // Whoever waits for the store reports its loss.
                guard (try? store.add(1, to: Self.key(rank))) != nil else { return }
                if watch.failure == nil, (try? store.has(Self.failureKey)) == true,
                    let reason = try? store.value(of: Self.failureKey, within: .seconds(1))
                {
                    watch.hear(String(decoding: reason, as: UTF8.self))
                }
                Thread.sleep(forTimeInterval: Self.interval)
            }
        }
    }

    static func key(_ rank: Int) -> String { "pulse/\(rank)" }

    func stop() { isOver.withLock { $0 = true } }
}
