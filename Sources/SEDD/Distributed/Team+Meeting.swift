public import Files
import Foundation
import Torch

/// Barriers, consistency checks, and error messages of failed operations.
extension Team {
    /// A barrier. Unlike a collective operation it may take hours, provided that the missing processes show signs of life.
    public func meet(_ what: String) throws {
        guard let link else { return }
        let key = "meeting/\(nextMeeting())"
        do {
            try watched(what) { try link.store.set("\(key)/\(rank)", []) }
            _ = try watched(what) { try link.store.add(1, to: key) }
            let deadline = ContinuousClock.now + limits.work
            var pause = 0.001
            var vigil = Vigil()
            while try watched(what, { try link.store.add(0, to: key) }) < size {
                Thread.sleep(forTimeInterval: pause)
                pause = min(0.1, pause * 1.2)
                guard pause >= 0.1 else { continue }
                let missing = try watched(what) { try (0..<size).filter { try !link.store.has("\(key)/\($0)") } }
                let late = try watched(what) { try vigil.late(missing, link.store, limits.exchange) }
                if !late.isEmpty || ContinuousClock.now > deadline {
                    throw failure(what, "\(Self.list(missing)) did not come")
                }
                Thread.sleep(forTimeInterval: 0.2)
            }
        } catch let error as TorchError where error.kind == .peer {
            throw failure(what, error.description)
        }
    }

    private func watched<Result>(_ what: String, _ body: () throws -> Result) throws -> Result {
        guard let link else { return try body() }
        return try link.watch.during(
            limits.exchange, "\(name): \(what): the store does not answer within \(limits.exchange.text)", body)
    }

    /// When the pulse of each missing process last changed.
    private struct Vigil {
        private var heard: [Int: (pulse: Int, time: ContinuousClock.Instant)] = [:]

        /// Those of `ranks` whose pulse has not changed for `limit`, or that have reported their exit.
        mutating func late(_ ranks: [Int], _ store: KeyStore, _ limit: Duration) throws -> [Int] {
            try ranks.filter { rank in
                if try store.has("end/\(rank)") { return true }
                let pulse = try store.add(0, to: Pulse.key(rank))
                if heard[rank]?.pulse != pulse { heard[rank] = (pulse, .now) }
                return heard[rank].map { ContinuousClock.now - $0.time > limit } ?? false
            }
        }
    }

    /// The end of the messages of temporary failures.
    static let advice = "; start the same command again to go on"

    /// The error of a failed operation, which names the ranks that are silent or have exited.
    func failure(_ what: String, _ reason: String) -> SEDDError {
        let line = "\(name): \(what): \(reason)"
        return SEDDError(.temporary, line + (diagnosis(line) ?? "") + Self.advice)
    }

    private func diagnosis(_ line: String) -> String? {
        guard let link, let launch else { return nil }
        let keeper = launch.hasStore ? "the launcher's store" : "rank 0, which keeps the store,"
        return link.watch.during(.seconds(Self.twoPulses + 2), "\(line); \(keeper) does not answer") {
            do {
                let others = (0..<size).filter { $0 != rank }
                let before = try others.map { try link.store.add(0, to: Pulse.key($0)) }
                Thread.sleep(forTimeInterval: Self.twoPulses)
                var ended: [String] = []
                var silent: [Int] = []
                for (other, pulse) in zip(others, before) {
                    if try link.store.has("end/\(other)") {
                        let value = try link.store.value(of: "end/\(other)", within: .seconds(1))
                        ended.append("rank \(other) ended (\(String(decoding: value, as: UTF8.self)))")
                    } else if try link.store.add(0, to: Pulse.key(other)) == pulse {
                        silent.append(other)
                    }
                }
                if !silent.isEmpty { return "; \(Self.list(silent)) \(silent.count == 1 ? "is" : "are") silent" }
                return ended.first.map { "; \($0)" }
            } catch {
                // After a failure elsewhere, rank 0 ends as well.
                return "; \(keeper) is gone" + (link.watch.failure.map { " after a failure (\($0))" } ?? "")
            }
        }
    }

    /// Checks that all processes have the same values as process 0.
    ///
    /// - Throws: ``SEDDError`` of `kind` in every process; where values differ, the message names both.
    public func requireSame(
        _ values: @autoclosure () throws -> [(name: String, value: String)], _ what: String,
        kind: SEDDError.Kind = .usage
    ) throws {
        guard isJoined else { return }
        let own = try values().map { [$0.name, $0.value] }
        let first = try broadcast(own, what)
        var differences: [String] = []
        for (one, other) in zip(own, first) where one != other {
            differences.append("\(one[0]) is \(one[1]) here and \(other[1]) in rank 0")
        }
        if own.count != first.count { differences.append("\(own.count) values here and \(first.count) in rank 0") }
        let flags = try gathered([differences.isEmpty ? 0 : 1], share: rank..<rank + 1, of: size, what)
        let unlike = flags.indices.filter { flags[$0] > 0 }
        guard !unlike.isEmpty else { return }
        let found =
            differences.isEmpty
            ? "\(Self.list(unlike)) \(unlike.count == 1 ? "has" : "have") others than rank 0, named in the line of \(unlike.count == 1 ? "that rank" : "those ranks")"
            : differences.joined(separator: "; ")
        throw SEDDError(kind, "\(name): \(what): \(found); all processes must be given the same")
    }
}
