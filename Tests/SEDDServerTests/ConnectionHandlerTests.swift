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
