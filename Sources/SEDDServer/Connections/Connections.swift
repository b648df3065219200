import NIOCore
import Synchronization

/// All open connections of a server, by peer and phase: decides on admission and eviction.
///
/// A new connection evicts the one that has been silent or idle longest, if that is longer than a moment, else the one
/// whose phase began first and is not answering. If all connections are being served, a few more are admitted for health
/// checks only, and get 503 for anything else.
final class Connections: Sendable {
    /// The phase of a connection.
    enum Phase: Sendable {
        /// Nothing has been received.
        case silent
        /// Idle between requests.
        case idle
        /// Receiving a request.
        case receiving
        /// A request is being answered: never evicted.
        case answering

        var isQuiet: Bool { self == .silent || self == .idle }
    }

    /// How a new connection is admitted.
    enum Admission: Sendable {
        case full
        /// For health checks only.
        case restricted
        /// Refused.
        case refused
    }

    /// Asks a connection to close, unless a request has arrived since.
    struct MakeRoom: Sendable {}

    private struct Entry {
        let peer: Peer
        let channel: any Channel
        var phase: Phase
        /// Start of the phase, as a tick count.
        var since: Int
        /// Until when quiet counts as activity: a request may be on the way.
        var patience: NIODeadline
        /// Whether it has been asked to close.
        var isLeaving = false

        /// Its place in the order of eviction: lower ones first.
        func order(_ now: NIODeadline) -> (activity: Int, since: Int) {
            (phase.isQuiet && now >= patience ? 0 : 1, since)
        }
    }

    private struct State {
        var entries: [Int: Entry] = [:]
        /// Numbers connections and phase changes.
        var clock = 0

        mutating func tick() -> Int {
            clock += 1
            return clock
        }
    }

    private let total: Int
    private let perPeer: Int
    private let reserve: Int
    private let patience: TimeAmount
    private let state = Mutex(State())

    /// - Parameters:
    ///   - total: maximum number of connections.
    ///   - perPeer: maximum per peer.
    ///   - reserve: additional connections for health checks, when all others are being served.
    ///   - patience: how long a connection may be silent or idle and count as active.
    init(total: Int, perPeer: Int, reserve: Int, patience: TimeAmount = .seconds(1)) {
        self.total = total
        self.perPeer = perPeer
        self.reserve = reserve
        self.patience = patience
    }

    /// Number of open connections.
    var count: Int { state.withLock { $0.entries.count } }

    /// Registers a new connection, and asks another to close if the limit is reached.
    func admit(_ channel: any Channel) -> (number: Int, admission: Admission) {
        let peer = Peer(channel.remoteAddress)
        let now = NIODeadline.now()
        let (number, admission, victim) = state.withLock { state -> (Int, Admission, (any Channel)?) in
            let staying = state.entries.filter { !$0.value.isLeaving }
            let own = staying.filter { $0.value.peer == peer }
            var admission = Admission.full
            var victim: Int?
            if own.count >= perPeer || staying.count >= total {
                victim = Self.victim(own.count >= perPeer ? own : staying, now)
                if victim == nil { admission = staying.count < total + reserve ? .restricted : .refused }
            }
            // Evicted connections take a moment to close; their number is bounded too.
            let all = state.entries.values.count { $0.peer == peer }
            if all >= 2 * perPeer || state.entries.count >= 2 * total + reserve {
                (admission, victim) = (.refused, nil)
            }
            if let victim { state.entries[victim]?.isLeaving = true }
            let number = state.tick()
            if admission != .refused {
                state.entries[number] = Entry(
                    peer: peer, channel: channel, phase: .silent, since: number, patience: now + patience)
            }
            return (number, admission, victim.flatMap { state.entries[$0]?.channel })
        }
        victim?.pipeline.fireUserInboundEventTriggered(MakeRoom())
        return (number, admission)
    }

    private static func victim(_ entries: [Int: Entry], _ now: NIODeadline) -> Int? {
        entries.filter { $0.value.phase != .answering }.min { $0.value.order(now) < $1.value.order(now) }?.key
    }

    /// Changes a connection's phase; one that was asked to close stays if its request is now being answered.
    func enter(_ phase: Phase, _ number: Int) {
        let patience = NIODeadline.now() + patience
        state.withLock { state in
            let since = state.tick()
            state.entries[number]?.phase = phase
            state.entries[number]?.since = since
            state.entries[number]?.patience = patience
            if !phase.isQuiet { state.entries[number]?.isLeaving = false }
        }
    }

    func remove(_ number: Int) {
        state.withLock { _ = $0.entries.removeValue(forKey: number) }
    }

    /// Closes all connections, whatever their phase.
    func closeAll() {
        for channel in state.withLock({ $0.entries.values.map(\.channel) }) { channel.close(promise: nil) }
    }
}
