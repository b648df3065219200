import Foundation
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import SEDD
import ServiceLifecycle
import UnixSignals

/// An HTTP server for one model.
package struct Server: Sendable {
    /// Address, access control and limits.
    package struct Settings: Sendable {
        /// The address on which it listens.
        package var host = "127.0.0.1"
        /// The port; 0 selects a free one.
        package var port = 8080
        /// The required API keys.
        package var keys = APIKeys()
        /// Origins of other sites whose pages may use the server from a browser.
        package var allowedOrigins: Set<String> = []
        /// The server's names; empty if unknown.
        package var names: Set<String> = []
        /// Limits on requests and connections.
        package var limits: ServerLimits

        /// Default settings with the given limits.
        package init(limits: ServerLimits) { self.limits = limits }
    }

    /// How a server stopped.
    package enum Ending: Sendable {
        /// Running requests were completed, or cancelled after the grace period.
        case drained
        /// Everything was cancelled at once after a second stop request.
        case cutOff
    }

    /// How long written responses may take to be delivered after the server has stopped.
    private static let farewell = Duration.seconds(5)

    private let model: ServedModel
    private let settings: Settings
    let engine: SamplingEngine
    let connections: Connections
    private let logger: Logger
    private let demonstration: Demonstration

    /// Creates a server; ``run(until:running:)`` starts it.
    package init(_ model: ServedModel, _ settings: Settings, logger: Logger) throws {
        self.model = model
        self.settings = settings
        self.logger = logger
        // Metrics created before the registry is installed would be lost.
        _ = PrometheusRegistry.shared
        engine = SamplingEngine(
            sampler: model.sampler, limits: settings.limits.engine, observer: EngineMetrics())
        demonstration = Demonstration(
            service: GenerationService(model: model, engine: engine, limits: settings.limits))
        connections = Connections(
            total: settings.limits.connections,
            perPeer: min(settings.limits.connections, settings.limits.connectionsPerPeer),
            reserve: settings.limits.healthConnections)
    }

    /// The application; tests call it as the server does.
    ///
    /// - Parameter running: called with the port once connections are accepted.
    package func application(running: @escaping @Sendable (Int) async -> Void = { _ in }) -> some ApplicationProtocol {
        var connection = ConnectionSettings(settings.limits)
        connection.refused = { [logger] fault in
            RequestMetrics.count(fault)
            logger.info("not a request", metadata: ["status": "\(fault.status.code)", "code": "\(fault.code ?? "")"])
        }
        return Application(
            router: router(),
            server: HTTPServerBuilder { [connections, connection] responder in
                ServerConnections(responder: responder, settings: connection, connections: connections)
            },
            configuration: .init(address: .hostname(settings.host, port: settings.port)),
            onServerRunning: { channel in await running(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    /// Serves until asked to stop: then new requests get 503, running ones complete or are cancelled after the grace
    /// period, and connections are closed. A second stop request cancels everything at once.
    ///
    /// - Parameter stops: one element per stop request; ``stopSignals()`` for a process of its own.
    package func run(
        until stops: AsyncStream<Void>, running: @escaping @Sendable (Int) async -> Void
    ) async throws -> Ending {
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: application(running: running), successTerminationBehavior: .gracefullyShutdownGroup)
                ],
                logger: logger))
        do {
            return try await withThrowingTaskGroup(of: Ending.self) { tasks in
                tasks.addTask { await end(group, when: stops) }
                try await group.run()
                tasks.cancelAll()
                return try await tasks.next() ?? .drained
            }
        } catch {
            await engine.drain(within: .zero)
            throw error
        }
    }

    /// Cancels everything as soon as requested; returns once nothing waits for it any more.
    private func end(_ group: ServiceGroup, when stops: AsyncStream<Void>) async -> Ending {
        guard await Self.isAsked(stops) else { return .drained }
        return await withTaskGroup(of: Void.self) { stopping in
            stopping.addTask { await stop(group) }
            guard await Self.isAsked(stops) else { return .drained }
            connections.closeAll()
            await engine.drain(within: .zero)
            return .cutOff
        }
    }

    /// One element each time this process receives SIGTERM or SIGINT.
    package static func stopSignals() async -> AsyncStream<Void> {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        return AsyncStream { continuation in
            let watching = Task {
                for await _ in signals { continuation.yield() }
                continuation.finish()
            }
            continuation.onTermination = { _ in watching.cancel() }
        }
    }

    /// Waits for the next element; false if there will be none, or the wait was cancelled.
    private static func isAsked(_ stops: AsyncStream<Void>) async -> Bool {
        var iterator = stops.makeAsyncIterator()
        return await iterator.next() != nil
    }

    private func stop(_ group: ServiceGroup) async {
        logger.notice("stopping", metadata: ["connections": "\(connections.count)"])
        await engine.drain(within: settings.limits.grace)
        await group.triggerGracefulShutdown()
        // All jobs have ended; only connections of stalled readers remain.
        guard (try? await Task.sleep(for: Self.farewell)) != nil else { return }
        logger.warning("connections that do not end are cut off", metadata: ["connections": "\(connections.count)"])
        connections.closeAll()
    }

    func router() -> Router<ServerContext> {
        let bare = Router(context: ServerContext.self)
        addRoutes(to: bare)
        let errors = ErrorResponses(routes: RouteTable(bare.routes.map { (path: "\($0.path)", method: $0.method) }))
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestMetrics())
        router.add(middleware: errors)
        router.add(
            middleware: Origins(
                allowed: settings.allowedOrigins, host: settings.host, names: settings.names, errors: errors))
        addRoutes(to: router)
        return router
    }

    private func addRoutes(to router: Router<ServerContext>) {
        let service = GenerationService(model: model, engine: engine, limits: settings.limits)
        let api = router.group("v1").add(middleware: Authentication(keys: settings.keys))
        api.post("completions") { try await CompletionEndpoint(service: service).respond($0, $1) }
        api.post("infill") { try await InfillEndpoint(service: service).respond($0, $1) }
        api.get("demonstration") { [demonstration] _, context in try demonstration.respond(context) }
        api.get("models") { [model, settings] _, _ in
            try JSONResponse.make(ModelList(data: [.init(model, settings.limits)]))
        }
        // Model names may contain slashes, which some clients encode and others do not.
        api.get("models/**") { [model, settings] _, context in
            let path = context.parameters.getCatchAll().joined(separator: "/")
            let name = path.removingPercentEncoding ?? path
            guard name == model.name else {
                throw APIError(
                    .notFound, .notFound,
                    "the model '\(name.prefix(100))' is not served here; expected '\(model.name)'",
                    parameter: "model", code: "model_not_found")
            }
            return try JSONResponse.make(ModelList.Model(model, settings.limits))
        }
        router.get("/healthz") { _, _ in Self.plain("alive\n") }
        router.get("/readyz") { [engine] _, _ in
            engine.isAccepting ? Self.plain("ready\n") : Self.plain("stopping\n", status: .serviceUnavailable)
        }
        router.get("/metrics") { _, _ in
            Self.plain(PrometheusRegistry.shared.text(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        let description = OpenAPIDocument.bytes(model, settings.limits)
        router.get("/openapi.json") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: description)))
        }
        router.get("/") { _, _ in try Self.page("index.html") }
        router.get("/page/:file") { _, context in try Self.page(context.parameters.get("file") ?? "") }
    }

    private static func page(_ name: String) throws -> Response {
        guard let response = PageFiles.response(name) else { throw HTTPError(.notFound) }
        return response
    }

    private static func plain(
        _ text: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
