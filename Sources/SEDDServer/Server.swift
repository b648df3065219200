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
        package var limits: ServerLimits

        package init(limits: ServerLimits) { self.limits = limits }
    }

    /// How long answers that are written may take to arrive once the server has stopped.
    private static let farewell = Duration.seconds(5)

    private let model: ServedModel
    private let settings: Settings
    let engine: SamplingEngine
    private let logger: Logger

    package init(_ model: ServedModel, _ settings: Settings, logger: Logger) throws {
        self.model = model
        self.settings = settings
        self.logger = logger
        // Metrics that are made before the registry is known are counted nowhere.
        _ = PrometheusRegistry.shared
        engine = SamplingEngine(
            sampler: model.sampler, limits: settings.limits.engine, observer: EngineMetrics())
    }

    /// The application; tests call it as a server does.
    ///
    /// - Parameter running: told the port once connections are accepted.
    package func application(running: @escaping @Sendable (Int) async -> Void = { _ in }) -> some ApplicationProtocol {
        let limits = settings.limits
        return Application(
            router: router(),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionGuard(limit: limits.receiving)],
                    idleTimeout: TimeAmount(limits.idle),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
            configuration: .init(
                address: .hostname(settings.host, port: settings.port),
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: logger)),
            onServerRunning: { channel in await running(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    /// Serves until it is asked to stop by SIGTERM or SIGINT: then new requests get 503, running ones finish or are cut off at
    /// the end of their grace, and connections are closed. A second signal cuts everything off at once.
    package func run(running: @escaping @Sendable (Int) async -> Void) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: application(running: running), successTerminationBehavior: .gracefullyShutdownGroup)
                ],
                logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                var asked = false
                for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
                    logger.notice("asked to stop", metadata: ["signal": "\(signal)"])
                    if asked { _exit(130) }
                    asked = true
                    Task {
                        await engine.drain(within: settings.limits.grace)
                        await group.triggerGracefulShutdown()
                        // All jobs have ended; what is left are connections whose clients read nothing.
                        try await Task.sleep(for: Self.farewell)
                        logger.warning("connections that do not end are cut off")
                        _exit(0)
                    }
                }
            }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    func router() -> Router<ServerContext> {
        let runner = JobRunner(model: model, engine: engine, limits: settings.limits)
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestMetrics())
        router.add(middleware: Origins(allowed: settings.allowedOrigins, host: settings.host))
        router.add(middleware: ErrorResponses())

        let api = router.group("v1").add(middleware: Authentication(keys: settings.keys))
        api.post("completions") { try await CompletionEndpoint(runner: runner).respond($0, $1) }
        api.post("infill") { try await InfillEndpoint(runner: runner).respond($0, $1) }
        api.get("models") { [model, settings] _, _ in
            try JobRunner.response(ModelList(data: [.init(model, settings.limits)]))
        }
        api.get("models/:name") { [model, settings] _, context in
            let name = context.parameters.get("name") ?? ""
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
        router.get("/openapi.json") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: OpenAPIDocument.bytes)))
        }
        router.get("/") { _, _ in try Self.page("index.html") }
        router.get("/page/:file") { _, context in try Self.page(context.parameters.get("file") ?? "") }
        return router
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
