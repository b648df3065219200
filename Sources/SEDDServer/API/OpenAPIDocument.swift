import Foundation
import SEDD

/// `/openapi.json`: the document in the source, and what the samplers declare of themselves.
enum OpenAPIDocument {
    /// The whole document as JSON.
    static let bytes: [UInt8] = {
        let source = Data(PackageResources.openapi_json)
        guard var document = (try? JSONSerialization.jsonObject(with: source)) as? [String: Any],
            var components = document["components"] as? [String: Any],
            var schemas = components["schemas"] as? [String: Any]
        else { return PackageResources.openapi_json }
        for name in ["CompletionRequest", "InfillRequest"] {
            guard var schema = schemas[name] as? [String: Any], var properties = schema["properties"] as? [String: Any]
            else { continue }
            properties.merge(samplingProperties) { $1 }
            schema["properties"] = properties
            schemas[name] = schema
        }
        components["schemas"] = schemas
        document["components"] = components
        let made = try? JSONSerialization.data(
            withJSONObject: document, options: [.sortedKeys, .withoutEscapingSlashes])
        return made.map { [UInt8]($0) } ?? PackageResources.openapi_json
    }()

    /// The members that say how a text is drawn.
    static var samplingProperties: [String: Any] {
        var properties: [String: Any] = [
            "sampler": [
                "type": ["string", "null"], "enum": SamplingMethods.names + [NSNull()] as [Any],
                "default": SamplingMethods.names[0],
                "description": SamplingMethods.all.map { "\($0.name): \($0.summary)." }.joined(separator: " "),
            ] as [String: Any],
            "grid": [
                "type": ["string", "null"], "enum": TimeGrid.Kind.names + [NSNull()] as [Any], "default": "linear",
                "description": "Where the steps stop.",
            ] as [String: Any],
            "temperature": [
                "type": ["number", "null"], "minimum": 0, "maximum": 100, "default": 1,
                "description": "What log-probabilities of tokens are divided by; 0 takes the most probable.",
            ] as [String: Any],
            "top_k": [
                "type": ["integer", "null"], "minimum": 1, "description": "The most probable k tokens alone.",
            ] as [String: Any],
            "top_p": [
                "type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1,
                "description": "The nucleus of this probability alone.",
            ] as [String: Any],
        ]
        for setting in SamplingMethods.settings { properties[setting.name] = schema(setting) }
        return properties
    }

    private static func schema(_ setting: SettingDeclaration) -> [String: Any] {
        let owners = SamplingMethods.all.filter { $0.settings.contains { $0.name == setting.name } }.map(\.name)
        var schema: [String: Any] = ["description": "\(setting.help) A setting of \(owners.joined(separator: ", "))."]
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
        switch setting.standard {
        case .number(let number): schema["default"] = number
        case .word(let word): schema["default"] = word
        }
        return schema
    }
}
