import Foundation
import Synchronization
import Torch

/// Increments a key of the store every second, so that other processes can tell a busy process from a dead one.
///
/// It uses its own connection, so that it is not blocked by operations of other threads.
final class Pulse: Sendable {
    /// Seconds between increments.
    static let interval = 1.0

    private let isOver = Mutex(false)

    init(_ store: KeyStore, rank: Int) {
        Thread.detachNewThread { [weak self] in
            while let self, !self.isOver.withLock({ $0 }) {
                // Whoever waits for the store reports its loss.
                guard (try? store.add(1, to: Self.key(rank))) != nil else { return }
                Thread.sleep(forTimeInterval: Self.interval)
            }
        }
    }

    static func key(_ rank: Int) -> String { "pulse/\(rank)" }

    func stop() { isOver.withLock { $0 = true } }
}
