import Foundation
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import SEDD
import ServiceLifecycle
import UnixSignals

/// One model over HTTP.
package struct Server: Sendable {
    /// Where and for whom it listens.
    package struct Settings: Sendable {
        package var host = "127.0.0.1"
        /// 0 takes a free one.
        package var port = 8080
        package var keys = APIKeys()
        /// Whose pages may use it from a browser, beside its own.
        package var allowedOrigins: Set<String> = []
        /// The names that it is asked under; empty where they are not known.
        package var names: Set<String> = []
        package var limits: ServerLimits

        package init(limits: ServerLimits) { self.limits = limits }
    }

    /// How a server has ended.
    package enum Ending: Sendable {
        /// What ran was answered, or cut off at the end of its grace.
        case drained
        /// Everything was cut off at once: it had been asked to stop twice.
        case cutOff
    }

    /// How long answers that are written may take to arrive once the server has stopped.
    private static let farewell = Duration.seconds(5)

    private let model: ServedModel
    private let settings: Settings
    let engine: SamplingEngine
    let connections: Connections
    private let logger: Logger

    package init(_ model: ServedModel, _ settings: Settings, logger: Logger) throws {
        self.model = model
        self.settings = settings
        self.logger = logger
        // Metrics that are made before the registry is known are counted nowhere.
        _ = PrometheusRegistry.shared
        engine = SamplingEngine(
            sampler: model.sampler, limits: settings.limits.engine, observer: EngineMetrics())
        connections = Connections(
            total: settings.limits.connections,
            perPeer: min(settings.limits.connections, settings.limits.connectionsPerPeer),
            reserve: settings.limits.healthConnections)
    }

    /// The application; tests call it as a server does.
    ///
    /// - Parameter running: told the port once connections are accepted.
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

    /// Serves until it is asked to stop: then new requests get 503, running ones finish or are cut off at the end of their grace, and
    /// connections are closed. Asked a second time it cuts everything off at once.
    ///
    /// - Parameter stops: an element each time it is asked; ``stopSignals()`` for a process of its own.
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

    /// Ends what runs as soon as that is asked for; returns once nobody waits for it any more.
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

    /// An element each time this process gets SIGTERM or SIGINT.
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

    /// Waits for the next element; false where there will be none, or nobody waits for it any more.
    private static func isAsked(_ stops: AsyncStream<Void>) async -> Bool {
        var iterator = stops.makeAsyncIterator()
        return await iterator.next() != nil
    }

    private func stop(_ group: ServiceGroup) async {
        logger.notice("stopping", metadata: ["connections": "\(connections.count)"])
        await engine.drain(within: settings.limits.grace)
        await group.triggerGracefulShutdown()
        // All jobs have ended; what is left are connections whose clients read nothing.
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
        let runner = JobRunner(model: model, engine: engine, limits: settings.limits)
        let api = router.group("v1").add(middleware: Authentication(keys: settings.keys))
        api.post("completions") { try await CompletionEndpoint(runner: runner).respond($0, $1) }
        api.post("infill") { try await InfillEndpoint(runner: runner).respond($0, $1) }
        api.get("models") { [model, settings] _, _ in
            try JobRunner.response(ModelList(data: [.init(model, settings.limits)]))
        }
        // A name may have slashes, which some clients encode and others do not.
        api.get("models/**") { [model, settings] _, context in
            let path = context.parameters.getCatchAll().joined(separator: "/")
            let name = path.removingPercentEncoding ?? path
            guard name == model.name else {
                throw APIError(
                    .notFound, .notFound,
                    "the model '\(name.prefix(100))' is not served here; expected '\(model.name)'",
                    parameter: "model", code: "model_not_found")
            }
            return try JobRunner.response(ModelList.Model(model, settings.limits))
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
