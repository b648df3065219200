import Files
import SEDD

/// `POST /v1/infill`: text with holes.
struct InfillRequest: Sendable {
    /// Maximum number of alternatives per position.
    static let greatestAlternatives = 10

    var fields: SamplingFields
    /// A token, or nil where the model writes.
    var template: [Int?]
    var alternatives: Int
    var isStreamed: Bool

    /// - Throws: ``APIError`` that names the invalid member.
    init(_ fields: inout RequestFields, model: ServedModel, limits: ServerLimits) throws(APIError) {
        self.fields = try SamplingFields(&fields, model: model, limits: limits)
        let text = try fields.string("template")
        let segments = fields.value("segments")
        let length = try fields.integer("length", in: 1...limits.length)
        alternatives = try fields.integer("alternatives", in: 0...Self.greatestAlternatives) ?? 0
        isStreamed = try fields.bool("stream") ?? true
        try fields.finish()
        let made: Template
        let name: String
        switch (text, segments) {
        case (let text?, nil):
            name = "template"
            do { made = try Template(text) } catch { throw APIError(error, parameter: name) }
        case (nil, let segments?):
            name = "segments"
            let parts = try Self.segments(segments)
            do { made = try Template(parts) } catch { throw APIError(error, parameter: name) }
        case (nil, nil): throw .invalid("template", "template and segments are both missing; send one of them")
        case (_?, _?): throw .invalid("segments", "template and segments are mutually exclusive; send one of them")
        }
        // Holes are bounded before they are laid out, so that no array of a client's choosing is allocated.
        guard made.sizedHoleTokens <= limits.length else {
            throw .invalid(
                name, "the holes have \(made.sizedHoleTokens) tokens; the server's limit is \(limits.length) in total")
        }
        do {
            template = try made.positions(tokenizer: model.tokenizer, length: length, modelLength: model.length)
        } catch { throw APIError(error, parameter: name) }
        guard template.count <= limits.length else {
            throw .invalid(name, "the template has \(template.count) tokens; the server's limit is \(limits.length)")
        }
        guard !template.isEmpty else { throw .invalid(name, "the template is empty; give text or holes") }
    }

    private static func segments(_ value: JSONValue) throws(APIError) -> [Template.Segment] {
        guard case .array(let values) = value else {
            throw RequestFields.wrong("segments", value, "an array of objects with text, hole or end")
        }
        guard !values.isEmpty else { throw .invalid("segments", "segments is empty; give text or holes") }
        var segments: [Template.Segment] = []
        for value in values {
            switch value {
            case .object(let members) where members.count == 1:
                switch members.first {
                case ("text", .string(let text))?: segments.append(.text(text))
                case ("hole", .integer(let count))?: segments.append(.hole(count))
                case ("hole", .string("*"))?: segments.append(.fill)
                case ("end", .bool(true))?: segments.append(.end)
                default:
                    throw RequestFields.wrong(
                        "segments", value,
                        "a text, a hole (a count of tokens or \"*\"), or \"end\": true in each object")
                }
            default: throw RequestFields.wrong("segments", value, "objects with one of text, hole and end in the array")
            }
        }
        return segments
    }

    /// The sequence in its initial state.
    func sequence(_ model: ServedModel) throws(APIError) -> Trajectory {
        do {
            return try model.sampler.start(
                .init(
                    template: template, seed: fields.seed, settings: fields.settings,
                    alternatives: isStreamed ? alternatives : nil))
        } catch { throw APIError(error, parameter: "template") }
    }
}
