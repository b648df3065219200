import Files
import Foundation
import SEDD
import Text

/// Fills the template `openapi.json`: the server's limits and the model's name replace `"$length"`, `"$steps"`,
/// `"$sequences"`, `"$lastToken"` and `"$model"`, and sampling members are generated from the samplers' declarations.
enum OpenAPIDocument {
    static func bytes(_ model: ServedModel, _ limits: ServerLimits) -> [UInt8] {
        var text = String(decoding: PackageResources.openapi_json, as: UTF8.self)
        let values = [
            ("length", "\(limits.length)"), ("steps", "\(limits.steps)"), ("sequences", "\(limits.sequences)"),
            ("lastToken", "\(model.graph.tokens - 1)"), ("model", quoted(model.name)),
        ]
        for (name, value) in values { text = text.replacing("\"$\(name)\"", with: value) }
        return withSamplers(Array(text.utf8), model)
    }

    private static func quoted(_ text: String) -> String {
        (try? JSON.text(text)) ?? "\"\""
    }

    private static func withSamplers(_ bytes: [UInt8], _ model: ServedModel) -> [UInt8] {
        guard var document = (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any],
            var components = document["components"] as? [String: Any],
            var schemas = components["schemas"] as? [String: Any]
        else { return bytes }
        for name in ["CompletionRequest", "InfillRequest"] {
            guard var schema = schemas[name] as? [String: Any], var properties = schema["properties"] as? [String: Any]
            else { continue }
            properties.merge(samplingProperties(model)) { $1 }
            if model.tokenizer.endOfText == nil { properties["segments"] = withoutEnds(properties["segments"]) }
            schema["properties"] = properties
            schema["allOf"] = ownership
            schemas[name] = schema
        }
        components["schemas"] = schemas
        document["components"] = components
        let made = try? JSONSerialization.data(
            withJSONObject: document, options: [.sortedKeys, .withoutEscapingSlashes])
        return made.map { [UInt8]($0) } ?? bytes
    }

    /// Segments of a tokenizer that has no end of text.
    private static func withoutEnds(_ segments: Any?) -> Any? {
        guard var segments = segments as? [String: Any], var items = segments["items"] as? [String: Any],
            let choices = items["oneOf"] as? [[String: Any]]
        else { return segments }
        items["oneOf"] = choices.filter { ($0["properties"] as? [String: Any])?["end"] == nil }
        segments["items"] = items
        return segments
    }

    /// The members that describe sampling.
    ///
    /// - Parameter model: whose chain and profile decide which samplers and grids there are.
    private static func samplingProperties(_ model: ServedModel) -> [String: Any] {
        let samplers = SamplingMethods.all.filter { $0.reverses(model.graph) }
        var properties: [String: Any] = [
            "sampler": [
                "type": ["string", "null"], "enum": samplers.map(\.name) + [NSNull()] as [Any],
                "default": SamplingMethods.names[0],
                "description": samplers.map { "\($0.name): \($0.summary)." }.joined(separator: " "),
            ] as [String: Any],
            "grid": [
                "type": ["string", "null"], "enum": model.grids.map(\.name) + [NSNull()] as [Any], "default": "linear",
                "description": "Placement of the time steps. "
                    + model.grids.map { "\($0.name): \($0.summary)." }
                    .joined(separator: " "),
            ] as [String: Any],
        ]
        for setting in TokenFilter.settings { properties[setting.name] = schema(setting, setting.help) }
        for setting in SamplingMethods.settings {
            let owners = SamplingMethods.all.filter { $0.settings.contains { $0.name == setting.name } }.map(\.name)
            properties[setting.name] = schema(
                setting, "\(setting.help) A setting of \(owners.joined(separator: ", ")).")
        }
        return properties
    }

    /// A setting is refused beside a sampler that does not declare it.
    private static var ownership: [[String: Any]] {
        SamplingMethods.settings.map { setting in
            let owners = SamplingMethods.all.filter { $0.settings.contains { $0.name == setting.name } }.map(\.name)
            let isStandard = owners.contains(SamplingMethods.names[0])
            let sampler: [String: Any] = ["enum": owners + (isStandard ? [NSNull()] : []) as [Any]]
            return [
                "if": ["required": [setting.name], "properties": [setting.name: ["not": ["type": "null"]]]],
                "then": ["properties": ["sampler": sampler], "required": isStandard ? [] : ["sampler"]]
                    as [String: Any],
            ]
        }
    }

    private static func schema(_ setting: SettingDeclaration, _ description: String) -> [String: Any] {
        var schema: [String: Any] = ["description": description]
        switch setting.kind {
        case .number(let range):
            schema["type"] = ["number", "null"]
            (schema["minimum"], schema["maximum"]) = (range.lowerBound, range.upperBound)
        case .whole(let range):
            schema["type"] = ["integer", "null"]
            (schema["minimum"], schema["maximum"]) = (range.lowerBound, range.upperBound)
        case .choice(let words):
            schema["type"] = ["string", "null"]
            schema["enum"] = words + [NSNull()] as [Any]
        }
        switch (setting.standard, setting.kind) {
        case (.number(let number), _): schema["default"] = number
        case (.word(let word), .choice): schema["default"] = word
        // A default that cannot be written in a request, such as `all`, is omitted.
        case (.word, _): break
        }
        return schema
    }
}
