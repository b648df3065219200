import Files
public import Foundation
import Text
import Yams

/// Configurations as YAML: files contain only differences from the defaults, unknown keys are refused, and single keys
/// can be overridden.
public enum ConfigurationFile {
    /// Maximum size of a configuration file, bytes.
    static let greatest = 1 << 20

    /// The configuration that `yaml` and `overrides` describe.
    ///
    /// - Parameters:
    ///   - yaml: a mapping; absent keys keep their defaults.
    ///   - overrides: `key.path=value`, applied in order.
    ///   - source: name of the text in messages.
    /// - Throws: ``SEDDError`` of kind `invalidData` (text) or `usage` (overrides), naming the key.
    public static func resolve(yaml: String, overrides: [String] = [], source: String) throws -> TrainingConfiguration {
        var tree = try defaults()
        let known = withDeclaredSettings(tree)
        var given = try YAMLText.node(yaml, source: source) ?? Node([:])
        guard var mapping = given.mapping, !mapping.isEmpty || !overrides.isEmpty else {
            throw SEDDError(
                .invalidData, "\(source): expected a mapping of keys to values; sedd config --list names them")
        }
        // The `run.yaml` of one run may serve as the configuration of another.
        mapping[Node(RunFile.recordKey)] = nil
        given = .mapping(mapping)
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
            var line = error.line
            if case .dataCorrupted(let context) = error,
                let words = ConfigurationReference.choices[context.codingPath.map(\.stringValue).joined(separator: ".")]
            {
                line += "; expected \(words.replacing(" | ", with: ", "))"
            }
            throw SEDDError(kind, "\(source): \(line)")
        }
    }

    private static func checked(
        _ tree: Node, chosen: [Node], source: String, kind: SEDDError.Kind
    ) throws -> TrainingConfiguration {
        var configuration = try decoded(tree, source: source, kind: kind)
        // Scaling by sigma is for scores under absorption: unless given, it is derived from these keys.
        if !chosen.contains(where: { $0["model"]?["scale_by_sigma"] != nil }) {
            configuration.model.scaleBySigma = configuration.scalesBySigma
        }
        do { try configuration.validate() } catch { throw SEDDError(kind, "\(source): \(error.description)") }
        return configuration
    }

    /// Reads `url`; see ``resolve(yaml:overrides:source:)``.
    public static func resolve(contentsOf url: URL, overrides: [String] = []) throws -> TrainingConfiguration {
        try resolve(yaml: text(of: url), overrides: overrides, source: url.path)
    }

    /// The text of a configuration file.
    package static func text(of url: URL) throws -> String {
        guard FileSystem.exists(url) else {
            throw SEDDError(
                .missingInput, "\(url.path): no such file; expected a configuration or the name of a preset")
        }
        let bytes = try FileSystem.contents(of: url, limit: greatest)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SEDDError(.invalidData, "\(url.path): not UTF-8; expected a configuration as YAML")
        }
        return text
    }

    /// Every key with its value.
    public static func yaml(_ configuration: TrainingConfiguration) throws -> String {
        try plainNumbers(YAMLEncoder().encode(configuration))
    }

    /// YAML whose numbers are also numbers in YAML 1.1, where `1e-3` is a string: 0.001, or `1.0e-8`.
    static func plainNumbers(_ yaml: String) -> String {
        yaml.replacing(/(?m)^(\s*(?:- |\w+: ))(-?\d+(?:\.\d+)?e[+-]?\d+)$/) { match in
            guard let value = Double(match.2) else { return String(match.0) }
            let parts = "\(value)".split(separator: "e")
            guard parts.count == 2 else { return "\(match.1)\(value)" }
            let mantissa = parts[0].contains(".") ? String(parts[0]) : parts[0] + ".0"
            let exponent = Int(parts[1]) ?? 0
            return "\(match.1)\(mantissa)e\(exponent < 0 ? "-" : "+")\(abs(exponent))"
        }
    }

    /// The keys whose values differ, with both values, in file order.
    public static func differences(
        from old: TrainingConfiguration, to new: TrainingConfiguration
    ) throws -> [(key: String, old: String, new: String)] {
        let (before, after) = (try values(of: old), try values(of: new))
        let values = Dictionary(uniqueKeysWithValues: before.map { ($0.name, $0.value) })
        return after.compactMap { leaf in
            let old = values[leaf.name] ?? "absent"
            return old == leaf.value ? nil : (leaf.name, old, leaf.value)
        }
    }

    /// Every key with its value on one line.
    package static func values(of configuration: TrainingConfiguration) throws -> [(name: String, value: String)] {
        func below(_ node: Node, _ path: String) throws -> [(name: String, value: String)] {
            guard let mapping = node.mapping else {
                let value = try Yams.serialize(node: node).trimmingCharacters(in: .whitespacesAndNewlines)
                return [(path, value.replacing("\n", with: " "))]
            }
            return try mapping.flatMap { key, value in
                try below(value, path.isEmpty ? key.string ?? "" : "\(path).\(key.string ?? "")")
            }
        }
        return try below(Yams.compose(yaml: yaml(configuration)) ?? Node([:]), "")
    }

    private static func defaults() throws -> Node {
        try Yams.compose(yaml: YAMLEncoder().encode(TrainingConfiguration())) ?? Node([:])
    }

    /// The same including the settings declared by sampling methods, which have no value unless given.
    private static func withDeclaredSettings(_ tree: Node) -> Node {
        var tree = tree
        for setting in SamplingMethods.settings { tree["sampling"]?[setting.name] = Node("null", .init(.null)) }
        return tree
    }

    /// `a.b=value` as the mapping {a: {b: value}}.
    private static func parsed(_ override: String) throws -> Node {
        let parts = override.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw SEDDError(.usage, "--set '\(override)': expected key.path=value")
        }
        let value: Node
        do {
            value = try YAMLText.node(String(parts[1]), source: "--set \(parts[0])") ?? Node("null", .init(.null))
        } catch {
            throw SEDDError(.usage, error.description)
        }
        return parts[0].split(separator: ".", omittingEmptySubsequences: false).reversed()
            .reduce(value) { Node([(Node(String($1)), $0)]) }
    }

    /// `model: autoregressive` as `model: {type: autoregressive}`, `time_density: normal` likewise, and
    /// `sampling.predictor`, its former name, as `method`.
    private static func spelledOut(_ node: Node) -> Node {
        guard var mapping = node.mapping else { return node }
        if let sampling = node["sampling"]?.mapping, sampling.contains(where: { $0.key.string == "predictor" }) {
            mapping["sampling"] = Node(
                sampling.map { ($0.key.string == "predictor" ? Node("method") : $0.key, $0.value) })
        }
        if let kind = node["model"], TrainingConfiguration.ModelKind(rawValue: kind.string ?? "") != nil {
            mapping["model"] = Node([(Node("type"), kind)])
        }
        if var training = node["training"]?.mapping, let kind = training["time_density"], kind.scalar != nil {
            training["time_density"] = Node([(Node("type"), kind)])
            mapping["training"] = .mapping(training)
        }
        return .mapping(mapping)
    }

    /// The key that was probably meant: one with this name elsewhere, or with a similar name here; otherwise lists the
    /// keys here.
    private static func suggestion(for name: String, in path: [String], among names: [String]) throws -> String {
        let namesake = try values(of: TrainingConfiguration()).map(\.name).first {
            $0.split(separator: ".").last ?? "" == name
        }
        let near = NearestName.near(name, among: names).map { (path + [$0]).joined(separator: ".") }
        if let meant = namesake ?? near { return "did you mean '\(meant)'?" }
        return "expected one of \(names.joined(separator: ", "))"
    }

    private static func overlay(
        _ tree: inout Node, with given: Node, known: Node, path: [String], source: String,
        kind: SEDDError.Kind = .invalidData
    ) throws {
        guard let mapping = given.mapping else {
            if let fault = YAMLText.fault(given) {
                throw SEDDError(kind, "\(source): \(path.joined(separator: ".")) is \(fault)")
            }
            tree = given
            return
        }
        guard let names = known.mapping?.keys.compactMap(\.string), !names.isEmpty else {
            throw SEDDError(kind, "\(source): \(path.joined(separator: ".")) takes one value, not a mapping")
        }
        for (key, value) in mapping {
            let name = key.string ?? "?"
            let whole = (path + [name]).joined(separator: ".")
            guard names.contains(name), let below = known[name] else {
                let advice = try suggestion(for: name, in: path, among: Array(names))
                throw SEDDError(kind, "\(source): the key '\(whole)' is unknown; \(advice)")
            }
            guard (below.mapping == nil) == (value.mapping == nil) else {
                let expected = below.mapping == nil ? "one value" : "a mapping"
                throw SEDDError(kind, "\(source): \(whole) has the wrong type; expected \(expected)")
            }
            var child = tree[name] ?? below
            try overlay(&child, with: value, known: below, path: path + [name], source: source, kind: kind)
            tree[name] = child
        }
    }
}
