import Foundation
import Logging
import Testing

@testable import SEDD
@testable import SEDDServer

/// A server embedded in another process stops by returning.
@Suite(.timeLimit(.minutes(10)))
struct StoppingTests {
    private func settings(grace: Duration) throws -> Server.Settings {
        var settings = Server.Settings(limits: ServerLimits(modelLength: try Bundled.model.get().length))
        settings.port = 0
        settings.limits.grace = grace
        return settings
    }

    private var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    private static let long = "{\"template\": \"[[512]]\", \"steps\": 1000, \"stream\": false}"

    /// First stop request: running requests complete, or are cancelled after the grace period.
    @Test func drained() async throws {
        let server = try Server(Bundled.model.get(), settings(grace: .milliseconds(300)), logger: logger)
        let (stops, stop) = AsyncStream<Void>.makeStream()
        let (ports, port) = AsyncStream<Int>.makeStream()
        async let ending = server.run(until: stops) { port.yield($0) }
        var iterator = ports.makeAsyncIterator()
        let client = Client(port: try #require(await iterator.next()))
        async let answer = client.post("/v1/infill", Self.long)
        while server.engine.isIdle { try await Task.sleep(for: .milliseconds(10)) }
        stop.yield()
        #expect(try await answer.status == 503)
        #expect(try await ending == .drained)
        #expect(server.connections.count == 0)
    }

    /// Second stop request: everything is cancelled.
    @Test func cutOff() async throws {
        let server = try Server(Bundled.model.get(), settings(grace: .seconds(300)), logger: logger)
        let (stops, stop) = AsyncStream<Void>.makeStream()
        let (ports, port) = AsyncStream<Int>.makeStream()
        async let ending = server.run(until: stops) { port.yield($0) }
        var iterator = ports.makeAsyncIterator()
        let client = Client(port: try #require(await iterator.next()))
        async let answer = client.post("/v1/infill", Self.long)
        while server.engine.isIdle { try await Task.sleep(for: .milliseconds(10)) }
        stop.yield()
        while server.engine.isAccepting { try await Task.sleep(for: .milliseconds(10)) }
        stop.yield()
        let status = try? await answer.status
        #expect(status == nil || status == 503)
        #expect(try await ending == .cutOff)
        #expect(server.connections.count == 0)
    }

    @Test func aPortThatIsTaken() async throws {
        let connection = try await RawListener()
        var settings = try settings(grace: .zero)
        settings.port = connection.port
        let server = try Server(absorbingModel(), settings, logger: logger)
        await #expect(throws: (any Error).self) {
            _ = try await server.run(until: AsyncStream { _ in }) { _ in }
        }
        connection.close()
    }
}

/// A port of this machine that is taken.
struct RawListener {
    let port: Int
    private let socket: Int32

    init() async throws {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.socket = socket
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, size) == 0 && listen(socket, 1) == 0 && getsockname(socket, pointer, &size) == 0
            }
        }
        guard result else { throw RawConnection.Failure(description: "cannot listen: \(errno)") }
        port = Int(in_port_t(bigEndian: address.sin_port))
    }

    func close() { Foundation.close(socket) }
}
