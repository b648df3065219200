import ArgumentParser
import Files
import Foundation
import Logging
import SEDD
import SEDDServer
import Torch

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a model over HTTP: completions, infilling, and a page that shows text forming.",
        discussion: """
            Completions follow OpenAI's API; /openapi.json describes all endpoints. On SIGTERM running requests \
            are completed, or cancelled after --grace seconds. The log goes to stderr; the address is printed once the server \
            accepts requests.

            Each option can also be set in the environment (SEDD_PORT for --port, SEDD_MAX_RUNNING for --max-running; lists \
            are separated by commas), or in the YAML or JSON file named by --settings or SEDD_SETTINGS (one 'port: 8080' per \
            line). Flags override variables, variables override the file.

            Examples:
              sedd serve --model stories
              sedd serve --model DIR --host 0.0.0.0 --port 80 --api-keys keys.txt
              SEDD_MODEL=stories sedd serve --settings serve.yaml
              curl localhost:8080/v1/infill -H 'Content-Type: application/json' -d '{"template": "Tom lost his hat.[[24]] He was happy again."}'
            """)

    @OptionGroup var options: ModelOptions
    @Option(help: ArgumentHelp("Address to listen on; 0.0.0.0 for all.", valueName: "host")) var host = "127.0.0.1"
    @Option(help: ArgumentHelp("Port to listen on; 0 for a free one.", valueName: "port")) var port = 8080
    @Option(help: ArgumentHelp("Name of the model in requests (default: the folder's name).", valueName: "name"))
    var name: String?
    @Option(
        help: ArgumentHelp(
            "File of API keys required under /v1, one per line; only you should be able to read it.", valueName: "file")
    )
    var apiKeys: String?
    @Option(
        help: ArgumentHelp("Additional origin whose pages may use the server; repeatable.", valueName: "origin"))
    var allowOrigin: [String] = []
    @Option(
        help: ArgumentHelp(
            "Host name of a server that listens beyond this machine; repeatable. Other names are refused, except IP addresses.",
            valueName: "name"))
    var serverName: [String] = []
    @Option(
        help: ArgumentHelp(
            "Maximum tokens per sequence (default: the larger of 1024 and the model's length).", valueName: "L"))
    var maxLength: Int?
    @Option(help: ArgumentHelp("Maximum reverse steps per sequence (default: 1024).", valueName: "S")) var maxSteps:
        Int?
    @Option(help: ArgumentHelp("Maximum sequences per request (default: 128).", valueName: "N")) var maxSequences: Int?
    @Option(help: ArgumentHelp("Maximum bytes per request (default: 1048576).", valueName: "bytes")) var maxBody: Int?
    @Option(
        help: ArgumentHelp(
            "Maximum sequences in progress over all requests; further requests get 429 (default: 256).", valueName: "N")
    )
    var maxRunning: Int?
    @Option(
        help: ArgumentHelp(
            "Maximum open connections; further ones evict idle connections (default: 512).", valueName: "N"))
    var maxConnections: Int?
    @Option(help: ArgumentHelp("Maximum connections per address (default: half of --max-connections).", valueName: "N"))
    var maxConnectionsPerPeer: Int?
    @Option(help: ArgumentHelp("Maximum seconds per request (default: 300).", valueName: "seconds")) var deadline: Int?
    @Option(
        help: ArgumentHelp("Seconds that running requests may take after SIGTERM (default: 30).", valueName: "seconds"))
    var grace: Int?
    @Option(
        help: ArgumentHelp("\(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "level"),
        transform: level)
    var logLevel = Logger.Level.info
    @Option(help: ArgumentHelp("File with settings; see above.", valueName: "file")) var settings: String?
    @OptionGroup var engine: EngineOptions

    private static func level(_ name: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: name) else {
            throw ValidationError(
                "--log-level is '\(name)'; expected \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return level
    }

    func validate() throws {
        guard !host.isEmpty else {
            throw ValidationError("--host is empty; expected a name or an address of this machine")
        }
        guard (0...65535).contains(port) else { throw ValidationError("--port is \(port); expected 0 to 65535") }
        let counts = [
            ("max-length", maxLength), ("max-steps", maxSteps), ("max-sequences", maxSequences),
            ("max-body", maxBody), ("max-running", maxRunning), ("max-connections", maxConnections),
            ("max-connections-per-peer", maxConnectionsPerPeer), ("deadline", deadline),
        ]
        for (name, value) in counts {
            if let value, !(1...1 << 30).contains(value) {
                throw ValidationError("--\(name) is \(value); expected 1 to \(1 << 30)")
            }
        }
        for origin in allowOrigin {
            if let fault = AllowedOrigin.fault(origin) { throw ValidationError("--allow-origin: \(fault)") }
        }
        if let name = serverName.first(where: { $0.isEmpty || !$0.allSatisfy(Self.isOfName) }) {
            throw ValidationError("--server-name is '\(name)'; expected only a host name, such as sedd.example.org")
        }
        let running = maxRunning ?? ServerLimits(modelLength: 1).running
        if let maxSequences, maxSequences > Self.mostSequences(running) {
            throw ValidationError(
                "--max-sequences is \(maxSequences); expected at most \(Self.mostSequences(running)), seven eighths of --max-running"
            )
        }
        if let grace, !(0...86_400).contains(grace) {
            throw ValidationError("--grace is \(grace); expected 0 to 86400")
        }
        if let deadline, deadline > 86_400 {
            throw ValidationError("--deadline is \(deadline); expected at most 86400")
        }
    }

    private static func isOfName(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "-._".contains(character))
    }

    func run() async throws {
        // Before anything is opened: connections are files too.
        let connections = try DescriptorLimit.connections(maxConnections ?? ServerLimits.defaultConnections)
        let loaded = try await options.languageModel(engine)
        let network = try loaded.diffusion()
        let found = try await options.find()
        let tokenizer = try await options.makeTokenizer(for: loaded)
        let model = try ServedModel(
            name: name ?? found.name, network: network,
            profile: InformationProfile.beside(model: found.place.containingFolder),
            card: ModelCard.beside(model: found.place.containingFolder), tokenizer: tokenizer,
            created: Int(Date().timeIntervalSince1970))
        var logger = Logger(label: "sedd") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        let settings = try makeSettings(model, connections, logger)
        let host = self.host
        let ending: Server.Ending
        do {
            ending = try await Server(model, settings, logger: logger).run(until: stops()) { port in
                let shown = host.contains(":") ? "[\(host)]" : host
                StandardOutput.tell("serving \(model.name) at http://\(shown):\(port)")
            }
        } catch  where !(error is SEDDError || error is TorchError) {
            throw SEDDError(
                .cannotWrite,
                "cannot listen on \(host):\(port): \(ListenFailure.reason(error)); choose another --host or --port")
        }
        if ending == .cutOff { throw CancellationError() }
    }

    /// Stop requests from SIGTERM and SIGINT: the first completes running requests, the second cancels them, and the
    /// third terminates the process.
    private func stops() async -> AsyncStream<Void> {
        let (stops, continuation) = AsyncStream<Void>.makeStream()
        let signals = await Server.stopSignals()
        Task {
            var count = 0
            for await _ in signals {
                count += 1
                if count == 3 { Failure.leave(130) }
                continuation.yield()
            }
        }
        return stops
    }

    private func makeSettings(_ model: ServedModel, _ connections: Int, _ logger: Logger) throws -> Server.Settings {
        var limits = ServerLimits(modelLength: model.network.configuration.model.length)
        limits.length = maxLength ?? limits.length
        limits.steps = maxSteps ?? limits.steps
        limits.bodyBytes = maxBody ?? limits.bodyBytes
        limits.running = maxRunning ?? limits.running
        limits.sequences = maxSequences ?? min(limits.sequences, Self.mostSequences(limits.running))
        limits.connections = connections
        limits.connectionsPerPeer = maxConnectionsPerPeer ?? max(1, connections / 2)
        limits.deadline = deadline.map { .seconds($0) } ?? limits.deadline
        limits.grace = grace.map { .seconds($0) } ?? limits.grace
        var settings = Server.Settings(limits: limits)
        (settings.host, settings.port) = (host, port)
        settings.allowedOrigins = Set(allowOrigin)
        settings.names = Set(serverName.map { $0.lowercased() })
        if let apiKeys {
            settings.keys = try APIKeys(contentsOf: apiKeys) { logger.warning("\($0)") }
        } else if !["127.0.0.1", "::1", "localhost"].contains(host) {
            logger.warning(
                "without --api-keys anyone who can reach \(host):\(port) can use this server\(serverName.isEmpty ? "; without --server-name, so can pages of any name that resolves to it (DNS rebinding)" : "")"
            )
        }
        return settings
    }

    /// Maximum sequences of one request, whatever else is in progress.
    private static func mostSequences(_ running: Int) -> Int { max(1, running - running / 8) }
}
