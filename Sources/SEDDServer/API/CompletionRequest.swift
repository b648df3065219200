import Files
import SEDD

/// `POST /v1/completions` in OpenAI's schema: a prompt, an optional suffix, and the number of tokens between them.
struct CompletionRequest: Sendable {
    /// OpenAI's default.
    static let defaultTokens = 16
    /// OpenAI's limit.
    static let greatestStops = 4
    /// Maximum code points of a stop sequence: every step searches for them.
    static let longestStop = 256

    var fields: SamplingFields
    /// Tokens before the hole, per prompt.
    var prompts: [[Int]]
    /// Tokens after the hole.
    var suffix: [Int]
    /// Size of the hole, tokens.
    var tokens: Int
    /// Completions per prompt.
    var count: Int
    var isStreamed: Bool
    /// Whether the last event of a stream reports the usage.
    var streamsUsage: Bool
    /// Whether completions include the prompt.
    var echo: Bool
    /// Stop sequences.
    var stops: [String]
    /// Members that were accepted but have no effect.
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
                "prompt has \(prompts.count) prompts; the server's limit is \(limits.sequences): send fewer")
        }
        guard prompts.count * count <= limits.sequences else {
            throw .invalid(
                "n",
                "\(prompts.count) prompts with n = \(count) are \(prompts.count * count) completions; the server's limit is \(limits.sequences)"
            )
        }
        for (index, prompt) in prompts.enumerated() where prompt.count + suffix.count + tokens > limits.length {
            let which = prompts.count > 1 ? " of prompt \(index)" : " of prompt"
            throw .invalid(
                prompt.count + suffix.count < limits.length
                    ? "max_tokens" : prompt.count < limits.length ? "suffix" : "prompt",
                "\(prompt.count) tokens\(which), \(suffix.count) of suffix and \(tokens) to generate exceed the server's limit of \(limits.length) in total",
                code: "context_length_exceeded")
        }
    }

    /// Members that only other sampling methods have. Those that clients send by default are accepted without effect;
    /// those that would change the result or the shape of the answer are refused.
    private static func takeSettingsOfOthers(_ fields: inout RequestFields, count: Int) throws(APIError) {
        try fields.ignored("presence_penalty", in: -2...2, neutral: 0)
        try fields.ignored("frequency_penalty", in: -2...2, neutral: 0)
        try fields.absent(
            "logit_bias", because: "this server does not support biasing tokens")
        try fields.absent(
            "logprobs",
            because: "diffusion does not generate left to right, so per-token log-probabilities are undefined")
        if let value = fields.value("best_of"), value != .integer(count) {
            throw .invalid(
                "best_of",
                "best_of is \(value.name), but every generated sequence is returned; expected n, \(count), or null",
                code: "unsupported_value")
        }
    }

    private static let hints = [
        "messages": "chat is not supported: send the text as prompt",
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
                throw .invalid("stop", "stop has \(values.count) strings; expected at most \(greatestStops)")
            }
            var stops: [String] = []
            for value in values {
                guard case .string(let text) = value else {
                    throw .invalid("stop", "stop has \(value.name) in its array; expected strings")
                }
                guard !text.isEmpty else {
                    throw .invalid("stop", "stop has an empty string in its array; leave it out")
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
            throw .invalid("stop", "a stop sequence has \(length) code points; expected at most \(longestStop)")
        }
        return stop
    }

    private static func streamOptions(_ fields: inout RequestFields, isStreamed: Bool) throws(APIError) -> Bool {
        guard let value = fields.value("stream_options") else { return false }
        guard isStreamed else { throw .invalid("stream_options", "stream_options was given without stream") }
        guard case .object(let members) = value else { throw RequestFields.wrong("stream_options", value, "an object") }
        var inner = RequestFields(members)
        let usage = try inner.bool("include_usage") ?? false
        // Accepted without effect: stream events are never padded for obfuscation.
        if try inner.bool("include_obfuscation") == true { fields.ignore("stream_options.include_obfuscation") }
        try inner.finish()
        return usage
    }

    /// The sequences, prompt by prompt; each is a function of its prompt and its seed. Seeds increase over all of them,
    /// so equal prompts get different texts.
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
