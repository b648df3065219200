import ArgumentParser
import Files
import Foundation
import Logging
import SEDD
import SEDDServer
import Torch

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a model over HTTP: completions, infilling, and a page where one watches text form.",
        discussion: """
            Completions are those of OpenAI's clients; /openapi.json describes everything. SIGTERM lets running requests finish. \
            The log is on stderr; the address is printed once requests are taken.

            Examples:
              sedd serve --model Models/gutenberg
              sedd serve --model DIR --host 0.0.0.0 --port 80 --api-keys keys.txt
              curl localhost:8080/v1/infill -H 'Content-Type: application/json' -d '{"template": "He said [[24]] and left."}'
            """)

    @OptionGroup var options: ModelOptions
    @Option(help: ArgumentHelp("Address to listen at; 0.0.0.0 for all.", valueName: "host")) var host = "127.0.0.1"
    @Option(help: ArgumentHelp("Port to listen at; 0 for a free one.", valueName: "port")) var port = 8080
    @Option(help: ArgumentHelp("What requests call the model; the folder's name unless given.", valueName: "name"))
    var name: String?
    @Option(
        help: ArgumentHelp(
            "Keys that requests under /v1 must carry, one a line; readable by you alone.", valueName: "file"))
    var apiKeys: String?
    @Option(
        help: ArgumentHelp("Other origin whose pages may use the server; may be repeated.", valueName: "origin"))
    var allowOrigin: [String] = []
    @Option(help: ArgumentHelp("Tokens of a sequence; 1024 or the model's length unless given.", valueName: "L"))
    var maxLength: Int?
    @Option(help: ArgumentHelp("Reverse steps of a sequence.", valueName: "S")) var maxSteps: Int?
    @Option(help: ArgumentHelp("Sequences of a request.", valueName: "N")) var maxSequences: Int?
    @Option(help: ArgumentHelp("Bytes of a request.", valueName: "bytes")) var maxBody: Int?
    @Option(help: ArgumentHelp("Sequences under way at once, of all requests; further ones get 429.", valueName: "N"))
    var maxRunning: Int?
    @Option(help: ArgumentHelp("Seconds that a request may take.", valueName: "seconds")) var deadline: Int?
    @Option(help: ArgumentHelp("Seconds that running requests get after SIGTERM.", valueName: "seconds")) var grace:
        Int?
    @Option(
        help: ArgumentHelp("\(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "level"),
        transform: level)
    var logLevel = Logger.Level.info
    @OptionGroup var engine: EngineOptions

    private static func level(_ name: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: name) else {
            throw ValidationError(
                "--log-level is '\(name)'; expected \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return level
    }

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port is \(port); expected 0 to 65535") }
        let counts = [
            ("max-length", maxLength), ("max-steps", maxSteps), ("max-sequences", maxSequences),
            ("max-body", maxBody), ("max-running", maxRunning), ("deadline", deadline),
        ]
        for (name, value) in counts {
            if let value, !(1...1 << 30).contains(value) {
                throw ValidationError("--\(name) is \(value); expected 1 to \(1 << 30)")
            }
        }
        if let grace, !(0...86_400).contains(grace) {
            throw ValidationError("--grace is \(grace); expected 0 to 86400")
        }
        if let deadline, deadline > 86_400 {
            throw ValidationError("--deadline is \(deadline); expected 86400 at most")
        }
    }

    func run() async throws {
        let loaded = try options.languageModel(engine)
        let network = try loaded.diffusion()
        let folder = URL(filePath: FileSystem.realPath(options.model))
        let model = try ServedModel(
            name: name ?? folder.lastPathComponent, network: network, profile: InformationProfile.beside(model: folder),
            tokenizer: try options.makeTokenizer(for: loaded), created: Int(Date().timeIntervalSince1970))
        var logger = Logger(label: "sedd") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        let host = self.host
        do {
            try await Server(model, settings(model), logger: logger).run { port in
                let shown = host.contains(":") ? "[\(host)]" : host
                try? StandardOutput.write(Array("serving \(model.name) at http://\(shown):\(port)\n".utf8))
            }
        } catch  where !(error is SEDDError || error is TorchError) {
            throw SEDDError(.cannotWrite, "cannot listen at \(host):\(port): \(error); choose another --host or --port")
        }
    }

    private func settings(_ model: ServedModel) throws -> Server.Settings {
        var limits = ServerLimits(modelLength: model.network.configuration.model.length)
        limits.length = maxLength ?? limits.length
        limits.steps = maxSteps ?? limits.steps
        limits.sequences = maxSequences ?? limits.sequences
        limits.bodyBytes = maxBody ?? limits.bodyBytes
        limits.running = maxRunning ?? limits.running
        limits.deadline = deadline.map { .seconds($0) } ?? limits.deadline
        limits.grace = grace.map { .seconds($0) } ?? limits.grace
        var settings = Server.Settings(limits: limits)
        (settings.host, settings.port) = (host, port)
        settings.allowedOrigins = Set(allowOrigin)
        if let apiKeys { settings.keys = APIKeys(try keys(apiKeys)) }
        return settings
    }

    private func keys(_ path: String) throws -> [String] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw SEDDError(.missingInput, "\(path): cannot be read as UTF-8; expected a file of keys, one a line")
        }
        let keys = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        guard !keys.isEmpty else { throw SEDDError(.invalidData, "\(path): it holds no key; expected one a line") }
        return keys
    }
}
