import Files
public import Foundation
import Text
import Yams

/// Configurations as YAML: only what differs from the defaults, unknown keys refused, single keys overridden.
public enum ConfigurationFile {
    /// The configuration that `yaml` and `overrides` describe.
    ///
    /// - Parameters:
    ///   - yaml: a mapping; keys that it leaves out keep their defaults.
    ///   - overrides: `key.path=value`, applied in order.
    ///   - source: what messages call the text.
    /// - Throws: ``SEDDError`` of kind `invalidData` (text) or `usage` (overrides), naming the key.
    public static func resolve(yaml: String, overrides: [String] = [], source: String) throws -> TrainingConfiguration {
        let known = try defaults()
        var tree = known
        let given: Node
        do { given = try Yams.compose(yaml: yaml) ?? Node([:]) } catch {
            throw SEDDError(.invalidData, "\(source): no YAML: \("\(error)".split(separator: "\n").first ?? "")")
        }
        guard given.mapping != nil else {
            throw SEDDError(.invalidData, "\(source): expected a mapping of keys to values")
        }
        try overlay(&tree, with: spelledOut(given), known: known, path: [], source: source)
        guard !overrides.isEmpty else { return try checked(tree, chosen: [given], source: source, kind: .invalidData) }
        var chosen = [given]
        for override in overrides {
            let node = try parsed(override)
            try overlay(
                &tree, with: spelledOut(node), known: known, path: [], source: "--set \(override)", kind: .usage)
            chosen.append(node)
            _ = try decoded(tree, source: "--set \(override)", kind: .usage)
        }
        return try checked(
            tree, chosen: chosen, source: "\(source) with --set \(overrides.joined(separator: " --set "))", kind: .usage
        )
    }

    private static func decoded(_ tree: Node, source: String, kind: SEDDError.Kind) throws -> TrainingConfiguration {
        do { return try YAMLDecoder().decode(TrainingConfiguration.self, from: tree) } catch let error as DecodingError
        {
            throw SEDDError(kind, "\(source): \(error.line)")
        }
    }

    private static func checked(
        _ tree: Node, chosen: [Node], source: String, kind: SEDDError.Kind
    ) throws -> TrainingConfiguration {
        var configuration = try decoded(tree, source: source, kind: kind)
        // The scale by sigma belongs to absorption: it follows the graph unless it is named.
        if !chosen.contains(where: { $0["model"]?["scale_by_sigma"] != nil }) {
            configuration.model.scaleBySigma = configuration.graph.type == .absorb
        }
        do { try configuration.validate() } catch { throw SEDDError(kind, "\(source): \(error.description)") }
        return configuration
    }

    /// Reads `url`; see ``resolve(yaml:overrides:source:)``.
    public static func resolve(contentsOf url: URL, overrides: [String] = []) throws -> TrainingConfiguration {
        guard let data = try? Data(contentsOf: url) else {
            throw SEDDError(
                .missingInput, "\(url.path): no such file; expected a configuration or the name of a preset")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw SEDDError(.invalidData, "\(url.path): no UTF-8; expected a configuration as YAML")
        }
        return try resolve(yaml: text, overrides: overrides, source: url.path)
    }

    /// Every key with its value; what `run.yaml` holds.
    public static func yaml(_ configuration: TrainingConfiguration) throws -> String {
        try YAMLEncoder().encode(configuration)
    }

    private static func defaults() throws -> Node {
        try Yams.compose(yaml: YAMLEncoder().encode(TrainingConfiguration())) ?? Node([:])
    }

    /// `a.b=value` as the mapping {a: {b: value}}.
    private static func parsed(_ override: String) throws -> Node {
        let parts = override.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw SEDDError(.usage, "--set '\(override)': expected key.path=value")
        }
        guard let value = try? Yams.compose(yaml: String(parts[1])) else {
            throw SEDDError(.usage, "--set '\(override)': the value is no YAML")
        }
        return parts[0].split(separator: ".", omittingEmptySubsequences: false).reversed()
            .reduce(value) { Node([(Node(String($1)), $0)]) }
    }

    /// `model: autoregressive` as `model: {type: autoregressive}`.
    private static func spelledOut(_ node: Node) -> Node {
        guard let kind = node["model"], TrainingConfiguration.ModelKind(rawValue: kind.string ?? "") != nil,
            var mapping = node.mapping
        else { return node }
        mapping["model"] = Node([(Node("type"), kind)])
        return .mapping(mapping)
    }

    private static func overlay(
        _ tree: inout Node, with given: Node, known: Node, path: [String], source: String,
        kind: SEDDError.Kind = .invalidData
    ) throws {
        guard let mapping = given.mapping else {
            tree = given
            return
        }
        guard let names = known.mapping?.keys.compactMap(\.string), !names.isEmpty else {
            throw SEDDError(kind, "\(source): \(path.joined(separator: ".")) takes one value, not a mapping")
        }
        for (key, value) in mapping {
            let name = key.string ?? "?"
            let whole = (path + [name]).joined(separator: ".")
            guard names.contains(name), let below = known[name], var child = tree[name] else {
                let nearest = NearestName.of(name, among: names) ?? ""
                let suggestion = (path + [nearest]).joined(separator: ".")
                throw SEDDError(kind, "\(source): the key '\(whole)' is unknown; did you mean '\(suggestion)'?")
            }
            guard (below.mapping == nil) == (value.mapping == nil) else {
                let expected = below.mapping == nil ? "one value" : "a mapping"
                throw SEDDError(kind, "\(source): \(whole) has the wrong type; expected \(expected)")
            }
            try overlay(&child, with: value, known: below, path: path + [name], source: source, kind: kind)
            tree[name] = child
        }
    }
}
