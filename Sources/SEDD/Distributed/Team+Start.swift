import Files
import Foundation
import Torch

/// Joining and leaving a job.
extension Team {
    /// The pulse of a live process differs between two readings this many seconds apart.
    static let twoPulses = 2.5 * Pulse.interval

    /// The engine's share of a time limit; the rest is for finding and reporting which processes are silent.
    static func engineLimit(_ limit: Duration) -> Duration {
        max(limit * 0.4, limit - .seconds(2 * twoPulses + 2))
    }

    static func join(
        _ launch: Launch, _ limits: Limits, _ environment: [String: String],
        _ abandon: @escaping @Sendable (String) -> Never
    ) throws -> Link {
        let name = "rank \(launch.rank) of \(launch.size)"
        let meeting = "\(launch.host):\(launch.port)"
        let watch = Watch(abandon: abandon)
        let serves = !launch.hasStore && launch.rank == 0
        let prefix = "sedd/\(launch.start)"
        do {
            return try watch.during(limits.start * 1.5, "\(name), start: \(meeting) does not answer") {
                func open(serves: Bool) throws(TorchError) -> KeyStore {
                    try KeyStore(
                        host: launch.host, port: launch.port, serves: serves, prefix: prefix, timeout: limits.start)
                }
                let store = try open(serves: serves)
                try waitForAll(store, launch, limits.start)
                let address = LocalAddress.toward(
                    launch.host, isAlone: launch.localSize == launch.size, environment: environment)
                let group = try ProcessGroup(
                    store: store, rank: launch.rank, size: launch.size, address: address,
                    timeout: engineLimit(limits.exchange))
                return Link(
                    store: store, group: group, watch: watch,
                    pulse: Pulse(try open(serves: false), rank: launch.rank, watch))
            }
        } catch let error as TorchError {
            watch.stop()
            let kind: SEDDError.Kind = error.kind == .peer ? .temporary : error.failure
            throw SEDDError(
                kind,
                "\(name), start, meeting at \(meeting): \(error.description); check MASTER_ADDR and MASTER_PORT, and that all processes are started"
            )
        } catch {
            watch.stop()
            throw error
        }
    }

    /// Waits until every process has registered in the store.
    private static func waitForAll(_ store: KeyStore, _ launch: Launch, _ limit: Duration) throws {
        try store.set("here/\(launch.rank)", [])
        let deadline = ContinuousClock.now + limit
        var missing = Array(0..<launch.size)
        while true {
            missing = try missing.filter { try !store.has("here/\($0)") }
            if missing.isEmpty { return }
            guard .now < deadline else {
                throw SEDDError(
                    .temporary,
                    "rank \(launch.rank) of \(launch.size), start: \(list(missing)) did not come to \(launch.host):\(launch.port) within \(limit.text); start all processes, or fewer"
                )
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// Leaves after all processes have finished; process 0 runs the store until the others no longer need it.
    public func leave() throws {
        guard let link, let launch else { return }
        defer {
            link.pulse.stop()
            link.watch.stop()
        }
        try meet("end")
        guard !launch.hasStore, isFirst else {
            _ = try? link.store.add(1, to: "left")
            return
        }
        let deadline = ContinuousClock.now + limits.exchange
        while let left = try? link.store.add(0, to: "left"), left < size - 1, .now < deadline {
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    /// Reports to the other processes why this one exits early.
    ///
    /// - Parameter isAgreed: whether all processes exit for the same reason, so that none will ask for it.
    public func end(_ line: String, isAgreed: Bool) {
        guard let link, let launch else { return }
        link.watch.during(.seconds(3), line) {
            link.pulse.stop()
            let reason = Array((line.hasSuffix(Self.advice) ? line.dropLast(Self.advice.count) : line[...]).utf8)
            try? link.store.set("end/\(rank)", reason)
            // Whoever fails later does so because of the first.
            if !isAgreed, (try? link.store.has(Pulse.failureKey)) == false {
                try? link.store.set(Pulse.failureKey, reason)
            }
        }
        // The store ends with this process: let the others finish their last operation, or read the reason.
        if !launch.hasStore, isFirst {
            let longest = Self.twoPulses + 1
            link.watch.during(.seconds(longest + 2), line) {
                let deadline = ContinuousClock.now + .seconds(longest)
                while ContinuousClock.now < deadline, !(0..<size).allSatisfy({ hasEnded($0, link.store) }) {
                    Thread.sleep(forTimeInterval: 0.02)
                }
            }
        }
        link.watch.stop()
    }

    private func hasEnded(_ rank: Int, _ store: KeyStore) -> Bool { (try? store.has("end/\(rank)")) == true }

    /// `rank 1`, `ranks 1, 2 and 3`.
    static func list(_ ranks: [Int]) -> String {
        let shown = ranks.prefix(8).map { "\($0)" } + (ranks.count > 8 ? ["\(ranks.count - 8) more"] : [])
        guard shown.count > 1, let last = shown.last else { return "rank \(shown.first ?? "?")" }
        return "ranks \(shown.dropLast().joined(separator: ", ")) and \(last)"
    }
}
