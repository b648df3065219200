import ArgumentParser
import Files
import Foundation
import SEDD
import Text
import Yams

/// Settings of `sedd serve` from flags, the environment (`SEDD_MAX_RUNNING` for `--max-running`) and a file, in this
/// order of precedence.
///
/// They are converted to flags before the command line is parsed, so that all are validated in one place.
struct ServeSettings {
    /// The program's arguments including the settings.
    private(set) var arguments: [String]
    /// Variables and files that contributed settings.
    private(set) var sources: [String] = []

    static let command = "serve"
    static let fileOption = "settings"
    /// Options that take one value.
    static let options = [
        "model", "tokenizer", "host", "port", "name", "api-keys", "max-length", "max-steps", "max-sequences",
        "max-body",
        "max-running", "max-connections", "max-connections-per-peer", "deadline", "grace", "log-level", "device",
        "precision",
        "threads",
    ]
    /// Options that may be repeated: a list in the file, separated by commas in a variable.
    static let lists = ["allow-origin", "server-name"]

    /// - Parameter given: the arguments of the program, without its name.
    /// - Throws: ``SEDDError`` or `FileError`, naming the file and the key.
    init(_ given: [String], environment: [String: String]) throws {
        arguments = given
        let asksForHelp = given.contains { ["--help", "-h", "--version", "--experimental-dump-help"].contains($0) }
        guard given.first == Self.command, !asksForHelp else { return }
        let variable = environment[Self.variable(Self.fileOption)].flatMap { $0.isEmpty ? nil : $0 }
        let file = try Self.value(of: Self.fileOption, in: given) ?? variable
        let settings = try file.map { try Self.read($0) } ?? [:]
        var found: [String] = []
        for name in Self.options + Self.lists where try Self.value(of: name, in: given) == nil {
            if let text = environment[Self.variable(name)], !text.isEmpty {
                let values = Self.lists.contains(name) ? text.split(separator: ",").map(String.init) : [text]
                found += values.map { "--\(name)=\($0.trimmingCharacters(in: .whitespaces))" }
                sources.append(Self.variable(name))
            } else if let values = settings[name] {
                found += values.map { "--\(name)=\($0)" }
                if let file, !sources.contains(file) { sources.append(file) }
            }
        }
        arguments.insert(contentsOf: found, at: 1)
    }

    static func variable(_ option: String) -> String { "SEDD_" + option.uppercased().replacing("-", with: "_") }

    /// The option's value on the command line.
    private static func value(of option: String, in arguments: [String]) throws -> String? {
        for (index, argument) in arguments.enumerated() {
            if argument.hasPrefix("--\(option)=") { return String(argument.dropFirst(option.count + 3)) }
            if argument == "--\(option)" {
                // The parser reports a missing value.
                return arguments.indices.contains(index + 1) ? arguments[index + 1] : ""
            }
        }
        return nil
    }

    /// The values of each key of a file: YAML, or JSON.
    private static func read(_ path: String) throws -> [String: [String]] {
        let bytes = try FileSystem.contents(of: FileSystem.url(path), limit: 1 << 20)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SEDDError(.invalidData, "\(path): not UTF-8; expected settings such as 'port: 8080'")
        }
        guard let node = try YAMLText.node(text, source: path) else { return [:] }
        guard let mapping = node.mapping else {
            throw SEDDError(.invalidData, "\(path): expected settings such as 'port: 8080', one per line")
        }
        var settings: [String: [String]] = [:]
        for (key, value) in mapping {
            let name = (key.string ?? "").replacing("_", with: "-")
            guard (options + lists).contains(name) else {
                let near = NearestName.near(name, among: options + lists).map { "; did you mean \($0)?" } ?? ""
                throw SEDDError(.invalidData, "\(path): unknown setting '\(key.string ?? "?")'\(near)")
            }
            let values =
                lists.contains(name) ? value.sequence.map { $0.map(\.string) } ?? [value.string] : [value.string]
            let texts = values.compactMap(\.self)
            guard texts.count == values.count, value.mapping == nil else {
                throw SEDDError(
                    .invalidData,
                    "\(path): \(name): expected \(lists.contains(name) ? "a text or a list of texts" : "one value")")
            }
            settings[name] = texts
        }
        return settings
    }
}
