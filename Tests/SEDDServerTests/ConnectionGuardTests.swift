import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import SEDDServer

struct ConnectionGuardTests {
    private func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: ConnectionGuard(limit: .seconds(10)))
        try channel.connect(to: .init(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private let head = HTTPRequestPart.head(.init(method: .post, scheme: "http", authority: "a", path: "/"))

    @Test func aHeadThatDoesNotCome() throws {
        let channel = try channel()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    /// Bytes that trickle do not buy time.
    @Test func aBodyThatTrickles() throws {
        let channel = try channel()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        try channel.writeInbound(head)
        for _ in 0..<9 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "a")))
        }
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test func aRequestThatHasArrived() throws {
        let channel = try channel()
        try channel.writeInbound(head)
        try channel.writeInbound(HTTPRequestPart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive, "the answer may take its time")
    }

    /// What is sent ahead of an answer must not stop the reading that notices a client's leaving.
    @Test func requestsFarAhead() throws {
        let channel = try channel()
        for _ in 0..<4 {
            #expect(channel.isActive)
            try channel.writeInbound(head)
            try channel.writeInbound(HTTPRequestPart.end(nil))
        }
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        try channel.writeInbound(head)
        try channel.writeInbound(HTTPRequestPart.end(nil))
        #expect(channel.isActive, "one was answered")
        _ = try? channel.writeInbound(head)
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
    }

    /// A client that takes nothing of its answer is cut off once its time is over.
    @Test func aClientThatTakesNothing() throws {
        let channel = try channel()
        try channel.writeInbound(head)
        try channel.writeInbound(HTTPRequestPart.end(nil))
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(channel.isActive)
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        channel.embeddedEventLoop.advanceTime(by: .seconds(11))
        #expect(!channel.isActive)
    }

    @Test(arguments: ["Close", "close, TE", "TE,  cLose"]) func spellingsOfClose(_ value: String) throws {
        let channel = try channel()
        let request = HTTPRequest(
            method: .get, scheme: "http", authority: "a", path: "/", headerFields: [.connection: value])
        try channel.writeInbound(HTTPRequestPart.head(request))
        guard case .head(let head) = try #require(try channel.readInbound(as: HTTPRequestPart.self)) else { return }
        #expect(head.headerFields[.connection] == "close")
    }

    @Test func aClientThatHasLeft() throws {
        let channel = try channel()
        try channel.writeInbound(head)
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
    }
}
