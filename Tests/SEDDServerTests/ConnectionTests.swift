import Foundation
import Testing

@testable import SEDDServer

/// Connection semantics of RFC 9110 and 9112, byte by byte, over a live port.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ConnectionTests {
    static func post(_ path: String, _ json: String, _ more: String = "", version: String = "1.1") -> String {
        "POST \(path) HTTP/\(version)\r\nHost: localhost\r\nContent-Type: application/json\r\n\(more)Content-Length: \(json.utf8.count)\r\n\r\n\(json)"
    }

    static func get(_ path: String, _ more: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(more)\r\n"
    }

    private static let short = "{\"prompt\": \"ab\", \"max_tokens\": 4, \"steps\": 2, \"seed\": 1}"
    private static let closing = "Connection: close\r\n"

    private func answers(
        _ change: @escaping (inout Server.Settings) -> Void = { _ in }, _ steps: RawConnection.Step...
    ) async throws -> [RawAnswer] {
        let found = Found()
        try await withServer(absorbingModel(), change: change) { client in
            let connection = try await RawConnection(port: client.port)
            defer { connection.close() }
            await found.set(try await connection.run(steps))
        }
        return RawAnswer.all(await found.text)
    }

    private actor Found {
        var text = ""
        func set(_ text: String) { self.text = text }
    }

    // MARK: HTTP/1.0

    @Test func anAnswerOfHTTP10EndsItsConnection() async throws {
        let text = try await answers({ _ in }, .send("GET /healthz HTTP/1.0\r\n\r\n"), .readToEnd)
        #expect(text.map(\.status) == [200] && text[0].body == "alive\n")
        #expect(text[0].headers["transfer-encoding"] == nil && text[0].headers["connection"] == "close")
    }

    /// HTTP/1.0 connections are not kept alive, whatever the client requests.
    @Test func aStreamOfHTTP10HasNoChunks() async throws {
        let json = "{\"template\": \"a[[4]]\", \"steps\": 2}"
        let found = try await answers(
            { _ in }, .send(Self.post("/v1/infill", json, "Connection: keep-alive\r\n", version: "1.0")), .readToEnd)
        #expect(found.map(\.status) == [200])
        #expect(found[0].headers["transfer-encoding"] == nil && found[0].headers["connection"] == "close")
        #expect(found[0].body.hasPrefix("event: start\ndata: {") && found[0].body.contains("event: done"))
        #expect(found[0].body.hasSuffix("}\n\n"))
    }

    // MARK: Expect

    @Test func aBodyThatIsWantedIsAskedFor() async throws {
        let start = ContinuousClock.now
        let request = Self.post("/v1/completions", Self.short, "Expect: 100-continue\r\n\(Self.closing)")
        let head = String(request.dropLast(Self.short.count))
        let found = try await answers(
            { _ in }, .send(head), .readUntil("HTTP/1.1 100 Continue\r\n\r\n"), .send(Self.short), .readToEnd)
        #expect(found.map(\.status) == [100, 200])
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    struct Unwanted: CustomTestStringConvertible, Sendable {
        let name: String
        let head: String
        let status: Int
        var testDescription: String { name }
    }

    /// An unwanted body is refused before it is sent, and the connection closes, because the client may send it anyway.
    @Test(arguments: [
        Unwanted(
            name: "too large",
            head:
                "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\nExpect: 100-continue\r\n\r\n",
            status: 413),
        Unwanted(
            name: "too large for any machine",
            head:
                "POST /v1/infill HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9223372036854775809\r\nExpect: 100-continue\r\n\r\n",
            status: 413),
        Unwanted(
            name: "no such path",
            head: "POST /v1/nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-Continue\r\n\r\n",
            status: 404),
        Unwanted(
            name: "another type",
            head: "POST /v1/infill HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
            status: 415),
        Unwanted(
            name: "another expectation",
            head: "POST /v1/infill HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: a-cup-of-tea\r\n\r\n",
            status: 417),
        Unwanted(
            name: "too large, not waiting",
            head:
                "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n{",
            status: 413),
    ])
    func aBodyThatIsNotWanted(_ given: Unwanted) async throws {
        let found = try await answers({ _ in }, .send(given.head), .readToEnd)
        #expect(found.map(\.status) == [given.status])
        #expect(found.first?.headers["connection"] == "close")
        #expect(found.first?.body.contains("\"error\"") == true)
    }

    /// The response reaches a client that keeps sending for a while.
    @Test func anAnswerBeforeTheBodyArrives() async throws {
        let head =
            "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n\r\n"
        let found = try await answers(
            { _ in }, .send(head), .pause(seconds: 0.3), .send(String(repeating: "a", count: 2_000_000)),
            .pause(seconds: 0.3), .send(String(repeating: "a", count: 1_000_000)), .readToEnd)
        #expect(found.map(\.status) == [413])
    }

    // MARK: Pipelining and half-close

    @Test func requestsInOneWriteAreAnsweredInOrder() async throws {
        let found = try await answers(
            { _ in },
            .send(
                Self.post("/v1/completions", Self.short) + Self.get("/healthz") + Self.get("/nothing")
                    + Self.get("/v1/models")
                    + Self.post("/v1/completions", "{") + Self.get("/readyz", Self.closing)), .readToEnd)
        #expect(found.map(\.status) == [200, 200, 404, 200, 400, 200])
        #expect(found[0].body.contains("text_completion") && found[1].body == "alive\n" && found[5].body == "ready\n")
        #expect(found[0].headers["connection"] != "close" && found[5].headers["connection"] == "close")
    }

    /// A hundred pipelined requests, more than are buffered at a time.
    @Test func manyRequestsAhead() async throws {
        let body = "{\"prompt\": \"\(String(repeating: "a", count: 8000))\"}"
        let found = try await answers(
            { _ in },
            .send(String(repeating: Self.get("/healthz") + Self.post("/v1/completions", body), count: 100)),
            .closeWriting,
            .readToEnd)
        #expect(found.count == 200)
        #expect(found.enumerated().allSatisfy { $0.element.status == ($0.offset % 2 == 0 ? 200 : 400) })
    }

    @Test func whatComesAfterTheLastIsNotAnswered() async throws {
        let found = try await answers(
            { _ in }, .send(Self.get("/healthz", Self.closing) + Self.get("/readyz")), .readToEnd)
        #expect(found.map(\.status) == [200])
    }

    @Test(arguments: [1, 5]) func aClientThatHasClosedItsSideIsAnswered(_ count: Int) async throws {
        let requests = (0..<count).map { _ in Self.post("/v1/completions", Self.short) }.joined()
        let found = try await answers({ _ in }, .send(requests), .closeWriting, .readToEnd).filter(\.isFinal)
        #expect(found.map(\.status) == Array(repeating: 200, count: count))
        #expect(Set(found.map { $0.body.contains("text_completion") }) == [true])
    }

    @Test func aStreamToAClientThatHasClosedItsSide() async throws {
        let json = "{\"template\": \"a[[4]]\", \"steps\": 4}"
        let found = try await answers({ _ in }, .send(Self.post("/v1/infill", json)), .closeWriting, .readToEnd)
            .filter(\.isFinal)
        #expect(found.map(\.status) == [200] && found.first?.body.contains("event: done") == true)
    }

    @Test func halfARequestAndNoMore() async throws {
        let found = try await answers({ _ in }, .send("GET /healthz HT"), .closeWriting, .readToEnd)
        #expect(found.map(\.status) == [400])
        let body = try await answers(
            { _ in }, .send(String(Self.post("/v1/completions", Self.short).dropLast(5))), .closeWriting, .readToEnd)
        #expect(body.map(\.status) == [400])
    }

    // MARK: What is not a request

    @Test(arguments: refused)
    func whatIsNotARequest(_ given: Refused) async throws {
        let found = try await answers({ _ in }, .send(given.bytes), .readToEnd)
        #expect(found.map(\.status) == [given.status])
        let answer = try #require(found.first)
        #expect(answer.headers["connection"] == "close" && answer.headers["content-type"] == "application/json")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: [String: Any]])
        #expect(
            object["error"]?["code"] as? String ?? "" == given.code
                || (object["error"]?["code"] as? String ?? "").hasPrefix(given.code))
        #expect(Set(object["error"]?.keys.map { $0 } ?? []) == ["message", "type", "param", "code"])
        #expect(answer.headers["date"]?.hasSuffix(" GMT") == true)
    }

    /// A malformed request closes the connection after the requests before it have been answered.
    @Test func aFaultAfterRequests() async throws {
        let found = try await answers(
            { _ in },
            .send(Self.post("/v1/completions", Self.short) + Self.get("/healthz") + "BREW / HTTP/1.1\r\n\r\n"),
            .readToEnd)
        #expect(
            found.map(\.status).prefix(2) == [200, 200] && found.count == 3 && [400, 501].contains(found[2].status))
    }

    /// A request to upgrade to another protocol is answered in this one.
    @Test func anUpgradeIsNotTaken() async throws {
        let found = try await answers(
            { _ in },
            .send(
                Self.get("/healthz", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n")),
            .readToEnd)
        #expect(found.map(\.status) == [200] && found[0].body == "alive\n")
    }

    // MARK: Time and room

    @Test func aBodyThatDoesNotArrive() async throws {
        let found = try await answers(
            { $0.limits.receiving = .seconds(1) }, .send(String(Self.post("/v1/completions", Self.short).dropLast(5))),
            .readToEnd)
        #expect(found.map(\.status) == [408])
    }

    @Test func aSilentConnectionEnds() async throws {
        let found = try await answers({ $0.limits.receiving = .milliseconds(300) }, .readToEnd)
        #expect(found.isEmpty)
    }

    /// Silent, idle and half-sent connections, at and beyond the limit, shut nobody out.
    @Test(arguments: ["", get("/healthz"), "POST /v1/infill HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"])
    func aFloodShutsNobodyOut(_ sent: String) async throws {
        try await withServer(
            absorbingModel(),
            change: {
                ($0.limits.connections, $0.limits.connectionsPerPeer) = (24, 16)
                ($0.limits.receiving, $0.limits.idle) = (.seconds(300), .seconds(300))
            }
        ) { client in
            var flood: [RawConnection] = []
            for _ in 0..<80 {
                let connection = try await RawConnection(port: client.port)
                if !sent.isEmpty { _ = try? await connection.run([.send(sent)]) }
                flood.append(connection)
            }
            let start = ContinuousClock.now
            let health = RawAnswer.all(
                try await RawConnection.exchange(client.port, .send(Self.get("/healthz", Self.closing)), .readToEnd))
            let text = RawAnswer.all(
                try await RawConnection.exchange(
                    client.port, .send(Self.post("/v1/completions", Self.short, Self.closing)), .readToEnd))
            #expect(health.map(\.status) == [200] && text.map(\.status) == [200])
            // Long before the limits end the flood, also on a busy machine.
            #expect(ContinuousClock.now - start < .seconds(60))
            for connection in flood { connection.close() }
        }
    }

    /// While all connections are being served, health checks still are, and others get 503.
    @Test func busyConnectionsLeaveRoomForHealthChecks() async throws {
        try await withServer(
            change: {
                ($0.limits.connections, $0.limits.connectionsPerPeer, $0.limits.healthConnections) = (4, 4, 2)
            }
        ) { client in
            let long = "{\"template\": \"[[512]]\", \"steps\": 1000}"
            var busy: [RawConnection] = []
            for _ in 0..<4 {
                let connection = try await RawConnection(port: client.port)
                _ = try await connection.run([.send(Self.post("/v1/infill", long)), .readUntil("event: start")])
                busy.append(connection)
            }
            let health = RawAnswer.all(
                try await RawConnection.exchange(client.port, .send(Self.get("/healthz")), .readToEnd))
            #expect(health.map(\.status) == [200] && health[0].headers["connection"] == "close")
            let other = RawAnswer.all(
                try await RawConnection.exchange(
                    client.port, .send(Self.post("/v1/completions", Self.short)), .readToEnd))
            #expect(other.map(\.status) == [503] && other[0].headers["retry-after"] != nil)
            for connection in busy { connection.close() }
        }
    }

    /// A disconnect frees the client's sequences, whether it half-closes or resets; writing to it detects that.
    @Test func aClientThatLeavesFreesItsSequences() async throws {
        let model = try Bundled.model.get()
        var settings = Server.Settings(limits: ServerLimits(modelLength: model.length))
        settings.limits.running = 1
        try await withServer(model, change: { $0.limits.running = 1 }) { client in
            let long = "{\"template\": \"[[512]]\", \"steps\": 1000, \"stream\": false}"
            let connection = try await RawConnection(port: client.port)
            _ = try await connection.run([.send(Self.post("/v1/infill", long)), .pause(seconds: 0.3)])
            #expect(try await client.post("/v1/completions", Self.short).status == 429)
            connection.close()
            let start = ContinuousClock.now
            var status = 429
            while status == 429, ContinuousClock.now - start < .seconds(60) {
                try await Task.sleep(for: .milliseconds(100))
                status = try await client.post("/v1/completions", Self.short).status
            }
            #expect(status == 200)
        }
    }
}
