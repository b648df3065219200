import Foundation
import Testing

/// Settings of the server from flags, variables and a file.
@Suite(.timeLimit(.minutes(10)))
struct ServeSettingsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// What a server says that is started and stopped again, once it takes requests.
    private func started(_ arguments: [String], _ environment: [String: String]) async throws -> String {
        // With an address that nobody has, it says where it could not listen, and ends.
        let result = try await SeddProcess.run(["serve"] + arguments, environment: environment)
        #expect(result.code == 73, "\(result.errors)")
        return result.lastError
    }

    private static let nowhere = "192.0.2.1"

    /// A flag comes before a variable, a variable before the file.
    @Test(arguments: [
        ("the file", [], [:], "192.0.2.1:1003"),
        ("a variable", [], ["SEDD_PORT": "1002"], "192.0.2.1:1002"),
        ("a flag", ["--port", "1001"], ["SEDD_PORT": "1002"], "192.0.2.1:1001"),
        ("a flag with =", ["--port=1001"], ["SEDD_PORT": "1002"], "192.0.2.1:1001"),
    ])
    func precedence(name: String, arguments: [String], variables: [String: String], address: String) async throws {
        let file = try folder.file(
            "serve.yaml",
            "model: gutenberg\nhost: \(Self.nowhere)\nport: 1003\nmax_running: 8\nallow-origin: [https://a.example, https://b.example]\nlog-level: critical\n"
        )
        let said = try await started(
            arguments + ["--settings", file.path], variables.merging(["SEDD_THREADS": "1"]) { $1 })
        #expect(said.contains("cannot listen on \(address)"), "\(name): \(said)")
    }

    @Test func variablesAlone() async throws {
        let said = try await started(
            [],
            [
                "SEDD_MODEL": "gutenberg", "SEDD_HOST": Self.nowhere, "SEDD_PORT": "1004", "SEDD_LOG_LEVEL": "critical",
                "SEDD_SERVER_NAME": "a.example, b.example",
            ])
        #expect(said.contains("\(Self.nowhere):1004"), "\(said)")
    }

    /// Whatever takes a value on the command line can stand in a file and in a variable.
    @Test func everyOptionIsASetting() async throws {
        struct Dump: Decodable {
            struct Command: Decodable {
                let commandName: String
                let subcommands: [Command]?
                let arguments: [Argument]?
            }
            struct Argument: Decodable {
                struct Name: Decodable { let name: String }
                let kind: String
                let preferredName: Name?
            }
            let command: Command
        }
        let dump = try await SeddProcess.run(["--experimental-dump-help"])
        let root = try JSONDecoder().decode(Dump.self, from: dump.output).command
        let serve = try #require(root.subcommands?.first { $0.commandName == "serve" })
        let names = (serve.arguments ?? []).filter { $0.kind == "option" }.compactMap(\.preferredName?.name)
        try #require(names.count > 15)
        let file = try folder.file(
            "all.yaml", names.filter { $0 != "settings" }.map { "\($0): x\n" }.joined())
        let result = try await SeddProcess.run(["serve", "--settings", file.path])
        #expect(result.code == 64 && !result.errors.contains("unknown setting"), "\(result.errors)")
    }

    @Test func mistakes() async throws {
        func fails(_ text: String, _ code: Int32, _ words: [String], _ variables: [String: String] = [:]) async throws {
            let file = try folder.file("wrong.yaml", text)
            let result = try await SeddProcess.run(
                ["serve", "--settings", file.path], environment: ["SEDD_MODEL": "x"].merging(variables) { $1 })
            expectFailure(result, code, words, text)
        }
        try await fails("prot: 1\n", 65, ["wrong.yaml", "prot", "did you mean port"])
        try await fails("- a\n", 65, ["wrong.yaml", "port: 8080"])
        try await fails("port: [1, 2]\n", 65, ["wrong.yaml", "port", "one value"])
        try await fails("allow-origin: {a: b}\n", 65, ["wrong.yaml", "allow-origin"])
        try await fails("a: [\n", 65, ["wrong.yaml", "YAML"])
        try await fails("port: 99999\n", 64, ["--port is 99999", "wrong.yaml"])
        expectFailure(
            try await SeddProcess.run(["serve", "--model", "gutenberg", "--host", ""]), 64, ["--host is empty"],
            "an empty host")
        try await fails("", 64, ["max-running", "SEDD_MAX_RUNNING"], ["SEDD_MAX_RUNNING": "many"])
        expectFailure(
            try await SeddProcess.run(["serve", "--settings", folder.path("none.yaml")]), 66,
            ["none.yaml", "no such file"],
            "no such file")
    }

    /// Errors say why in the system's words, without the names of types and functions.
    @Test(arguments: [
        (nowhere, String(cString: strerror(EADDRNOTAVAIL)).lowercased()), ("1.2.3.4.5", "the host is unknown ("),
    ])
    func noAddressOfThisMachine(host: String, reason: String) async throws {
        let said = try await started(
            ["--model", "gutenberg", "--host", host, "--port", "1005", "--log-level", "critical"], [:])
        #expect(said.hasPrefix("sedd: cannot listen on \(host):1005: \(reason)"), "\(said)")
        #expect(said.hasSuffix("; choose another --host or --port"), "\(said)")
    }

    /// Every option of the command can be set, and nothing else.
    @Test func complete() async throws {
        let dumped = try await SeddProcess.run(["--experimental-dump-help"])
        let object = try #require(try JSONSerialization.jsonObject(with: dumped.output) as? [String: Any])
        let commands = try #require((object["command"] as? [String: Any])?["subcommands"] as? [[String: Any]])
        let serve = try #require(commands.first { $0["commandName"] as? String == "serve" })
        let arguments = try #require(serve["arguments"] as? [[String: Any]])
        let names = arguments.filter { $0["kind"] as? String == "option" }.compactMap { argument in
            (argument["names"] as? [[String: Any]])?.first?["name"] as? String
        }
        // Each key is refused where the file has it with a wrong value, and taken where the option is.
        for name in names where name != "settings" {
            let file = try folder.file("one.yaml", "\(name): {}\n")
            let result = try await SeddProcess.run(["serve", "--settings", file.path])
            #expect(result.code == 65 && result.lastError.contains("\(name): expected"), "\(name): \(result.lastError)")
        }
        #expect(names.count > 15)
    }
}
