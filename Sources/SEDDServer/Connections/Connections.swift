import NIOCore
import Synchronization

/// All open connections of a server, whom they come from and what they are doing: who may come, and who must make room.
///
/// A connection that waits for nothing is worth less than one that has just come. So a newcomer is let in at the cost of one that
/// says nothing, or that has waited longest for its client's next request, or that has been sending its request longest. Where all
/// of them are being answered, a few more are let in for health checks, and get 503 for anything else.
final class Connections: Sendable {
    /// What a connection is doing, in the order in which it makes room.
    enum Phase: Int, Comparable, Sendable {
        /// Nothing has come yet.
        case silent
        /// A request was answered, and the next has not come.
        case idle
        /// A request is coming.
        case receiving
        /// A request is being answered: never closed for others.
        case answering

        static func < (a: Phase, b: Phase) -> Bool { a.rawValue < b.rawValue }
    }

    /// How a newcomer is let in.
    enum Admission: Sendable {
        case full
        /// For health checks alone.
        case restricted
        /// Not at all.
        case refused
    }

    /// Asks a connection to close, unless a request has come meanwhile.
    struct MakeRoom: Sendable {}

    private struct Entry {
        let peer: Peer
        let channel: any Channel
        var phase: Phase
        /// When the phase began, in counts of phases.
        var since: Int
        /// Whether it has been asked to make room.
        var isLeaving = false
    }

    private struct State {
        var entries: [Int: Entry] = [:]
        /// Numbers connections and the beginnings of phases.
        var clock = 0

        mutating func tick() -> Int {
            clock += 1
            return clock
        }
    }

    private let total: Int
    private let perPeer: Int
    private let reserve: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - total: connections in all.
    ///   - perPeer: of one peer.
    ///   - reserve: further ones for health checks, once all of those are being answered.
    init(total: Int, perPeer: Int, reserve: Int) {
        self.total = total
        self.perPeer = perPeer
        self.reserve = reserve
    }

    /// How many are open.
    var count: Int { state.withLock { $0.entries.count } }

    /// Enters a newcomer, and asks another connection to make room where there is none.
    func admit(_ channel: any Channel) -> (number: Int, admission: Admission) {
        let peer = Peer(channel.remoteAddress)
        let (number, admission, victim) = state.withLock { state -> (Int, Admission, (any Channel)?) in
            let staying = state.entries.filter { !$0.value.isLeaving }
            let own = staying.filter { $0.value.peer == peer }
            var admission = Admission.full
            var victim: Int?
            if own.count >= perPeer || staying.count >= total {
                victim = Self.victim(own.count >= perPeer ? own : staying)
                if victim == nil { admission = staying.count < total + reserve ? .restricted : .refused }
            }
            // Those that are asked to leave may take a moment; they do not grow without bound either.
            let all = state.entries.values.count { $0.peer == peer }
            if all >= 2 * perPeer || state.entries.count >= 2 * total + reserve {
                (admission, victim) = (.refused, nil)
            }
            if let victim { state.entries[victim]?.isLeaving = true }
            let number = state.tick()
            if admission != .refused {
                state.entries[number] = Entry(peer: peer, channel: channel, phase: .silent, since: number)
            }
            return (number, admission, victim.flatMap { state.entries[$0]?.channel })
        }
        victim?.pipeline.fireUserInboundEventTriggered(MakeRoom())
        return (number, admission)
    }

    private static func victim(_ entries: [Int: Entry]) -> Int? {
        entries.filter { $0.value.phase != .answering }
            .min { ($0.value.phase.rawValue, $0.value.since) < ($1.value.phase.rawValue, $1.value.since) }?.key
    }

    /// A connection that has begun something else; one that was asked to leave stays if it has begun to be answered.
    func enter(_ phase: Phase, _ number: Int) {
        state.withLock { state in
            let since = state.tick()
            state.entries[number]?.phase = phase
            state.entries[number]?.since = since
            if phase >= .receiving { state.entries[number]?.isLeaving = false }
        }
    }

    func remove(_ number: Int) {
        state.withLock { _ = $0.entries.removeValue(forKey: number) }
    }

    /// Closes all of them, whatever they are doing.
    func closeAll() {
        for channel in state.withLock({ $0.entries.values.map(\.channel) }) { channel.close(promise: nil) }
    }
}
