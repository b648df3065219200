import Files
import SEDD

/// `POST /v1/completions`, as OpenAI's clients send it: text before, text behind, and so many tokens between them.
struct CompletionRequest: Sendable {
    /// The published default.
    static let defaultTokens = 16
    /// As many as the published API takes.
    static let greatestStops = 4
    /// Code points of a stop text: each step looks for them.
    static let longestStop = 256

    var fields: SamplingFields
    /// Tokens before the hole, of each prompt.
    var prompts: [[Int]]
    /// Tokens behind the hole.
    var suffix: [Int]
    /// Tokens of the hole.
    var tokens: Int
    /// Sequences of each prompt.
    var count: Int
    var isStreamed: Bool
    /// Whether the last event of a stream tells the usage.
    var streamsUsage: Bool
    /// Whether the prompt stands before the completion.
    var echo: Bool
    /// Texts that a completion ends before.
    var stops: [String]
    /// Members that were taken and change nothing.
    var ignored: [String]

    /// - Throws: ``APIError`` that names the member that is invalid.
    init(_ fields: inout RequestFields, model: ServedModel, limits: ServerLimits) throws(APIError) {
        self.fields = try SamplingFields(&fields, model: model, limits: limits)
        prompts = try Self.prompts(fields.value("prompt") ?? .string(""), model)
        suffix =
            try fields.string("suffix").map { (text) throws(APIError) in
                try model.tokens(text, parameter: "suffix")
            } ?? []
        tokens = try fields.integer("max_tokens", in: 0...limits.length) ?? Self.defaultTokens
        count = try fields.integer("n", in: 1...limits.sequences) ?? 1
        isStreamed = try fields.bool("stream") ?? false
        streamsUsage = try Self.streamOptions(&fields, isStreamed: isStreamed)
        echo = try fields.bool("echo") ?? false
        stops = try Self.stops(fields.value("stop"))
        try Self.takeSettingsOfOthers(&fields, count: count)
        ignored = fields.ignored
        try fields.finish(hints: Self.hints)
        try checkSizes(limits)
    }

    private func checkSizes(_ limits: ServerLimits) throws(APIError) {
        guard prompts.count <= limits.sequences else {
            throw .invalid(
                "prompt",
                "prompt has \(prompts.count) prompts; this server takes \(limits.sequences) at a time: send fewer")
        }
        guard prompts.count * count <= limits.sequences else {
            throw .invalid(
                "n",
                "\(prompts.count) prompts with n = \(count) are \(prompts.count * count) completions; this server writes \(limits.sequences) at a time"
            )
        }
        for (index, prompt) in prompts.enumerated() where prompt.count + suffix.count + tokens > limits.length {
            let which = prompts.count > 1 ? " of prompt \(index)" : " of prompt"
            throw .invalid(
                prompt.count + suffix.count < limits.length
                    ? "max_tokens" : prompt.count < limits.length ? "suffix" : "prompt",
                "\(prompt.count) tokens\(which), \(suffix.count) of suffix and \(tokens) to write; this server takes \(limits.length) together",
                code: "context_length_exceeded")
        }
    }

    /// Members that other methods know. Those that clients send as a matter of course are taken and change nothing; those without which the answer would be another, or have another shape, are refused.
    private static func takeSettingsOfOthers(_ fields: inout RequestFields, count: Int) throws(APIError) {
        try fields.ignored("presence_penalty", in: -2...2, neutral: 0)
        try fields.ignored("frequency_penalty", in: -2...2, neutral: 0)
        try fields.absent(
            "logit_bias", because: "tokens are drawn from the model's own law, which has no such setting")
        try fields.absent("logprobs", because: "a text that is not written from left to right has no such list")
        if let value = fields.value("best_of"), value != .integer(count) {
            throw .invalid(
                "best_of",
                "best_of is \(value.name), but every sequence that is written is returned; expected n, \(count), or nothing",
                code: "unsupported_value")
        }
    }

    private static let hints = [
        "messages": "this server completes text and has no chat: send the text as prompt",
        "input": "send the text as prompt", "max_completion_tokens": "send max_tokens",
        "max_new_tokens": "send max_tokens",
    ]

    private static func prompts(_ value: JSONValue, _ model: ServedModel) throws(APIError) -> [[Int]] {
        switch value {
        case .string(let text): return [try model.tokens(text, parameter: "prompt")]
        case .array(let values):
            guard let first = values.first else { throw .invalid("prompt", "prompt is an empty array") }
            if case .integer = first { return [try ids(values, model)] }
            var prompts: [[Int]] = []
            for value in values {
                switch value {
                case .string(let text): prompts.append(try model.tokens(text, parameter: "prompt"))
                case .array(let values): prompts.append(try ids(values, model))
                default: throw RequestFields.wrong("prompt", value, "a string or an array of token ids in the array")
                }
            }
            return prompts
        default: throw RequestFields.wrong("prompt", value, "a string, an array of strings, or token ids")
        }
    }

    private static func ids(_ values: [JSONValue], _ model: ServedModel) throws(APIError) -> [Int] {
        var ids: [Int] = []
        for value in values {
            guard case .integer(let id) = value, id >= 0, id < model.graph.tokens else {
                throw RequestFields.wrong(
                    "prompt", value, "a token id from 0 to \(model.graph.tokens - 1) in the array")
            }
            ids.append(id)
        }
        return ids
    }

    private static func stops(_ value: JSONValue?) throws(APIError) -> [String] {
        switch value {
        case nil: return []
        case .string(let text): return text.isEmpty ? [] : [try short(text)]
        case .array(let values):
            guard values.count <= greatestStops else {
                throw .invalid("stop", "stop has \(values.count) texts; expected at most \(greatestStops)")
            }
            var stops: [String] = []
            for value in values {
                guard case .string(let text) = value else {
                    throw .invalid("stop", "stop has \(value.name) in its array; expected texts")
                }
                guard !text.isEmpty else {
                    throw .invalid("stop", "stop has an empty text in its array; leave it out")
                }
                stops.append(try short(text))
            }
            return stops
        case let value?:
            throw RequestFields.wrong("stop", value, "a string, or an array of at most \(greatestStops)")
        }
    }

    private static func short(_ stop: String) throws(APIError) -> String {
        let length = stop.unicodeScalars.count
        guard length <= longestStop else {
            throw .invalid("stop", "a stop text has \(length) code points; expected at most \(longestStop)")
        }
        return stop
    }

    private static func streamOptions(_ fields: inout RequestFields, isStreamed: Bool) throws(APIError) -> Bool {
        guard let value = fields.value("stream_options") else { return false }
        guard isStreamed else { throw .invalid("stream_options", "stream_options was given without stream") }
        guard case .object(let members) = value else { throw RequestFields.wrong("stream_options", value, "an object") }
        var inner = RequestFields(members)
        let usage = try inner.bool("include_usage") ?? false
        // Nothing is obfuscated here.
        if try inner.bool("include_obfuscation") == true { fields.ignore("stream_options.include_obfuscation") }
        try inner.finish()
        return usage
    }

    /// The sequences, prompt by prompt, each a function of its prompt and its seed. Seeds count up over all of them, so that equal
    /// prompts have texts of their own.
    func sequences(_ model: ServedModel) throws(APIError) -> [Trajectory] {
        do {
            return try model.sampler.start(
                (0..<prompts.count * count).map { index in
                    let template =
                        prompts[index / count].map { $0 } + [Int?](repeating: nil, count: tokens) + suffix.map { $0 }
                    return Sampler.Request(
                        template: template, seed: fields.seed &+ UInt64(index), settings: fields.settings)
                })
        } catch { throw APIError(error, parameter: "prompt") }
    }
}
