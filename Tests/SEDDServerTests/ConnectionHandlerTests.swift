import NIOCore
import NIOEmbedded
import NIOExtras
import NIOHTTP1
import Testing

@testable import SEDDServer

/// The timing of a connection, without a network.
struct ConnectionHandlerTests {
    private func channel(_ change: (inout ConnectionSettings) -> Void = { _ in }) throws -> EmbeddedChannel {
        var limits = ServerLimits(modelLength: 8)
        (limits.receiving, limits.idle) = (.seconds(10), .seconds(60))
        var settings = ConnectionSettings(limits)
        change(&settings)
        let channel = EmbeddedChannel()
        let connections = Connections(total: 4, perPeer: 4, reserve: 1)
        let place = ConnectionPlace(
            connections: connections, number: connections.admit(channel).number, isRestricted: false)
        try channel.pipeline.syncOperations.addHandler(
            ConnectionHandler(settings: settings, place: place, lines: LongLineWatch(limit: 100)))
        try channel.connect(to: .init(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private func head(_ method: HTTPMethod = .POST, _ headers: [(String, String)] = [], minor: Int = 1)
        -> HTTPServerRequestPart
    {
        .head(
            .init(
                version: .init(major: 1, minor: minor), method: method, uri: "/",
                headers: HTTPHeaders([("host", "a")] + headers)))
    }

    private func answer(_ channel: EmbeddedChannel, _ headers: [(String, String)] = []) throws {
        try channel.writeOutbound(
            HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok, headers: HTTPHeaders(headers))))
        try channel.writeOutbound(HTTPServerResponsePart.end(nil))
    }

    /// The statuses of what has been written since.
    private func written(_ channel: EmbeddedChannel) throws -> [UInt] {
        var statuses: [UInt] = []
        while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
            if case .head(let head) = part { statuses.append(head.status.code) }
        }
        return statuses
    }

    private func delivered(_ channel: EmbeddedChannel) throws -> Int {
        var heads = 0
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) { if case .head = part { heads += 1 } }
        return heads
    }

    @Test func aHeadThatDoesNotCome() throws {
        let channel = try channel()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    /// Slowly arriving bytes do not extend the deadline, and the client gets a response.
    @Test func aBodyThatTrickles() throws {
        let channel = try channel()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        try channel.writeInbound(head(.POST, [("content-length", "100")]))
        for _ in 0..<9 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            try channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(string: "a")))
        }
        #expect(try channel.isActive && written(channel).isEmpty)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(try written(channel) == [408])
        channel.embeddedEventLoop.advanceTime(by: .seconds(11))
        #expect(!channel.isActive)
    }

    @Test func aRequestThatHasArrived() throws {
        let channel = try channel()
        try channel.writeInbound(head())
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive, "the answer may take its time")
        try answer(channel)
        channel.embeddedEventLoop.advanceTime(by: .seconds(59))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive, "the next request did not come")
    }

    @Test func oneRequestAtATime() throws {
        let channel = try channel()
        for _ in 0..<3 {
            try channel.writeInbound(head())
            try channel.writeInbound(HTTPServerRequestPart.end(nil))
        }
        #expect(try delivered(channel) == 1)
        try answer(channel)
        #expect(try delivered(channel) == 1)
        try answer(channel)
        #expect(try delivered(channel) == 1)
        try answer(channel)
        #expect(try channel.isActive && written(channel) == [200, 200, 200] && delivered(channel) == 0)
    }

    /// Reading pauses while many pipelined bytes are buffered, and resumes as requests are answered.
    @Test func readingStopsWhileMuchIsAhead() throws {
        final class Reads: ChannelOutboundHandler {
            typealias OutboundIn = ByteBuffer
            var count = 0
            func read(context: ChannelHandlerContext) {
                count += 1
                context.read()
            }
        }
        let channel = try channel()
        let reads = Reads()
        try channel.pipeline.syncOperations.addHandler(reads, position: .first)
        try channel.writeInbound(head())
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        channel.pipeline.read()
        let before = reads.count
        try channel.writeInbound(head())
        for _ in 0..<10 {
            try channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(repeating: 97, count: 10_000)))
        }
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        channel.pipeline.read()
        channel.pipeline.read()
        #expect(reads.count == before, "held")
        try answer(channel)
        #expect(reads.count == before + 1, "and taken up")
    }

    /// The second request is delayed by the server, not the client: its timeout starts with its turn.
    @Test func aRequestThatIsHeldBackHasItsTime() throws {
        let channel = try channel()
        try channel.writeInbound(head())
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        try channel.writeInbound(head(.POST, [("content-length", "5")]))
        channel.embeddedEventLoop.advanceTime(by: .minutes(5))
        #expect(channel.isActive)
        try answer(channel)
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(try channel.isActive && written(channel) == [200])
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(try written(channel) == [408])
    }

    /// A stalled reader is disconnected after the timeout.
    @Test func aClientThatTakesNothing() throws {
        let channel = try channel()
        try channel.writeInbound(head())
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        channel.embeddedEventLoop.advanceTime(by: .seconds(50))
        #expect(channel.isActive)
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        channel.embeddedEventLoop.advanceTime(by: .seconds(11))
        #expect(!channel.isActive)
    }

    /// A half-closed client is probed with an interim response; HTTP/1.0 has none.
    @Test(arguments: [1, 0]) func aClientThatHasClosedItsSide(_ minor: Int) throws {
        let channel = try channel()
        try channel.writeInbound(head(.GET, minor: minor))
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(try channel.isActive && written(channel).isEmpty)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(try written(channel) == (minor == 1 ? [100] : []))
        channel.embeddedEventLoop.advanceTime(by: .seconds(10))
        #expect(try written(channel) == (minor == 1 ? [100, 100] : []))
        try answer(channel)
        #expect(try written(channel) == [200])
        #expect(!channel.isActive, "nothing can follow")
    }

    @Test(arguments: ["Close", "close, TE", "TE,  cLose"]) func spellingsOfClose(_ value: String) throws {
        let channel = try channel()
        try channel.writeInbound(head(.GET, [("Connection", value)]))
        guard case .head(let head) = try #require(try channel.readInbound(as: HTTPServerRequestPart.self)) else {
            return
        }
        #expect(head.headers["connection"] == ["close"])
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        try answer(channel)
        #expect(!channel.isActive)
    }

    @Test func aServerThatStops() throws {
        let idle = try channel()
        idle.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(!idle.isActive)
        let busy = try channel()
        try busy.writeInbound(head())
        try busy.writeInbound(HTTPServerRequestPart.end(nil))
        try busy.writeInbound(head())
        busy.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(busy.isActive)
        try answer(busy)
        guard case .head(let head) = try #require(try busy.readOutbound(as: HTTPServerResponsePart.self)) else {
            return
        }
        #expect(head.headers["connection"] == ["close"])
        #expect(!busy.isActive)
    }

    /// A connection asked to close does so, unless it is being served.
    @Test func makingRoom() throws {
        let idle = try channel()
        idle.pipeline.fireUserInboundEventTriggered(Connections.MakeRoom())
        #expect(!idle.isActive)
        let busy = try channel()
        try busy.writeInbound(head())
        try busy.writeInbound(HTTPServerRequestPart.end(nil))
        busy.pipeline.fireUserInboundEventTriggered(Connections.MakeRoom())
        #expect(busy.isActive)
    }

    /// Responses to HEAD have no body, whatever is written.
    @Test func bodiesOfHead() throws {
        let channel = try channel()
        try channel.writeInbound(head(.HEAD))
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
        try channel.writeOutbound(HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok)))
        try channel.writeOutbound(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: "text"))))
        try channel.writeOutbound(HTTPServerResponsePart.end(nil))
        var bodies = 0
        while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
            if case .body = part { bodies += 1 }
        }
        #expect(bodies == 0)
    }
}

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

struct RequestTargetTests {
    @Test(arguments: [
        ("/v1/models", "/v1/models"), ("/v1/%6Dodels", "/v1/models"),
        ("/v1/models/org%2Fname", "/v1/models/org%2Fname"),
        ("/%7e%2D%2e%5F%41%7A%30", "/~-._Az0"), ("/a?b=%41", "/a?b=%41"), ("/%", "/%"), ("/%4", "/%4"),
        ("/%zz", "/%zz"),
        ("/%C3%A9", "/%C3%A9"), ("/%2541", "/%2541"), ("*", "*"),
    ])
    func spellings(_ target: String, _ expected: String) {
        #expect(RequestTarget.normalized(target) == expected)
    }

    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1_709_164_799, "Wed, 28 Feb 2024 23:59:59 GMT"),
    ])
    func dates(_ seconds: Int, _ expected: String) {
        #expect(HTTPDate.string(seconds) == expected)
    }
}
