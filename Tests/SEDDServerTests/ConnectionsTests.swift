import NIOCore
import NIOEmbedded
import Testing

@testable import SEDDServer

/// Admission and eviction of connections.
struct ConnectionsTests {
    private func channel(_ address: String, port: Int = 1) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        channel.remoteAddress = try .init(ipAddress: address, port: port)
        return channel
    }

    private final class Asked: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var toMakeRoom = false
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is Connections.MakeRoom { toMakeRoom = true }
        }
    }

    private func admit(_ connections: Connections, _ address: String) throws -> (Int, Connections.Admission, Asked) {
        let channel = try channel(address)
        let asked = Asked()
        try channel.pipeline.syncOperations.addHandler(asked)
        let (number, admission) = connections.admit(channel)
        return (number, admission, asked)
    }

    /// Eviction order: silent and idle connections, then those that are sending, oldest first.
    @Test func whoMakesRoom() throws {
        let connections = Connections(total: 5, perPeer: 5, reserve: 1, patience: .zero)
        let first = try (0..<5).map { _ in try admit(connections, "10.0.0.1") }
        connections.enter(.answering, first[0].0)
        connections.enter(.receiving, first[1].0)
        connections.enter(.idle, first[2].0)
        connections.enter(.receiving, first[3].0)
        var order: [Int] = []
        for _ in 0..<5 {
            let newcomer = try admit(connections, "10.0.0.2")
            connections.enter(.answering, newcomer.0)
            if let gone = first.indices.first(where: { first[$0].2.toMakeRoom && !order.contains($0) }) {
                order.append(gone)
                #expect(newcomer.1 == .full)
                connections.remove(first[gone].0)
            } else {
                #expect(newcomer.1 == .restricted, "all are being answered")
            }
        }
        #expect(order == [4, 2, 1, 3])
        #expect(try admit(connections, "10.0.0.3").1 == .refused)
    }

    /// Connections that were active a moment ago count alike, whatever their phase: the one whose phase began first is evicted.
    @Test func activeOnesHaveTime() throws {
        let connections = Connections(total: 3, perPeer: 3, reserve: 1, patience: .hours(1))
        let (silent, sending, idle) = (
            try admit(connections, "10.0.0.1"), try admit(connections, "10.0.0.1"), try admit(connections, "10.0.0.1")
        )
        connections.enter(.receiving, sending.0)
        connections.enter(.idle, idle.0)
        var gone: [Int] = []
        for _ in 0..<3 {
            let newcomer = try admit(connections, "10.0.0.1")
            connections.enter(.answering, newcomer.0)
            for (place, one) in [silent, sending, idle].enumerated() where one.2.toMakeRoom && !gone.contains(place) {
                gone.append(place)
                connections.remove(one.0)
            }
        }
        #expect(gone == [0, 1, 2])
    }

    /// A peer's own connections are evicted first, so it cannot displace others.
    @Test func aPeerHasItsShare() throws {
        let connections = Connections(total: 10, perPeer: 4, reserve: 2)
        let friend = try admit(connections, "192.168.0.9")
        var flood: [(Int, Connections.Admission, Asked)] = []
        for _ in 0..<40 {
            flood.append(try admit(connections, "10.0.0.1"))
            for one in flood where one.2.toMakeRoom { connections.remove(one.0) }
        }
        #expect(!friend.2.toMakeRoom)
        #expect(flood.count { $0.2.toMakeRoom } == 36 && flood.allSatisfy { $0.1 == .full })
        // Connections that ignore the request to close are not replaced without limit.
        let stubborn = try (0..<40).map { _ in try admit(connections, "10.0.0.2") }
        #expect(stubborn.count { $0.1 == .refused } == 32)
        #expect(!friend.2.toMakeRoom)
        #expect(try admit(connections, "192.168.0.9").1 == .full)
    }

    @Test func onesThatBecomeBusyStay() throws {
        let connections = Connections(total: 2, perPeer: 2, reserve: 1)
        let (first, second) = (try admit(connections, "10.0.0.1"), try admit(connections, "10.0.0.1"))
        _ = try admit(connections, "10.0.0.1")
        #expect(first.2.toMakeRoom)
        connections.enter(.answering, first.0)
        connections.enter(.answering, second.0)
        #expect(try admit(connections, "10.0.0.2").1 == .full, "the third one makes room")
    }

    @Test(arguments: [
        ("10.0.0.1", "10.0.0.1", true), ("10.0.0.1", "10.0.0.2", false), ("::1", "::1", true),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true), ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ("::ffff:10.0.0.1", "10.0.0.1", true), ("::ffff:10.0.0.1", "::ffff:10.0.0.2", false),
    ])
    func peers(_ a: String, _ b: String, _ same: Bool) throws {
        #expect(try (Peer(.init(ipAddress: a, port: 1)) == Peer(.init(ipAddress: b, port: 2))) == same)
    }
}
