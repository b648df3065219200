import Files
import SEDD

/// `POST /v1/completions`, as OpenAI's clients send it: text before, text behind, and so many tokens between them.
struct CompletionRequest: Sendable {
    /// The published default.
    static let defaultTokens = 16
    /// As many as the published API takes.
    static let greatestStops = 4
    /// Bytes of a stop text: each step looks for them.
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

    /// - Throws: ``APIError`` that names the member which makes no sense.
    init(_ fields: inout RequestFields, model: ServedModel, limits: ServerLimits) throws(APIError) {
        self.fields = try SamplingFields(&fields, model: model, limits: limits)
        prompts = try Self.prompts(fields.value("prompt") ?? .string(""), model)
        suffix =
            try fields.string("suffix").map { (text) throws(APIError) in
                try model.tokens(text, parameter: "suffix")
            } ?? []
        tokens = try fields.integer("max_tokens", in: 1...limits.length) ?? Self.defaultTokens
        count = try fields.integer("n", in: 1...limits.sequences) ?? 1
        isStreamed = try fields.bool("stream") ?? false
        streamsUsage = try Self.streamOptions(fields.value("stream_options"), isStreamed: isStreamed)
        echo = try fields.bool("echo") ?? false
        stops = try Self.stops(fields.value("stop"))
        try Self.refuseWhatHasNoMeaning(&fields)
        try fields.finish()
        guard prompts.count * count <= limits.sequences else {
            throw .invalid(
                "n",
                "\(prompts.count) prompts, \(count) completions each; this server writes \(limits.sequences) at a time")
        }
        for prompt in prompts where prompt.count + suffix.count + tokens > limits.length {
            throw .invalid(
                prompt.count + suffix.count < limits.length ? "max_tokens" : "prompt",
                "\(prompt.count) tokens of prompt, \(suffix.count) of suffix and \(tokens) to write; this server takes \(limits.length) together",
                code: "context_length_exceeded")
        }
    }

    /// Members that other models know and that the law of this one leaves no room for.
    private static func refuseWhatHasNoMeaning(_ fields: inout RequestFields) throws(APIError) {
        let law = "tokens are drawn from the model's own law, which has no such setting"
        try fields.only(0, "presence_penalty", because: law)
        try fields.only(0, "frequency_penalty", because: law)
        try fields.absent("logit_bias", because: law)
        try fields.absent("logprobs", because: "a text that is not written from left to right has no such list")
        try fields.only(1, "best_of", because: "every sequence that is written is returned: use n")
    }

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
        case .array(let values) where values.count <= greatestStops:
            var stops: [String] = []
            for value in values {
                guard case .string(let text) = value, !text.isEmpty else {
                    throw RequestFields.wrong("stop", value, "a text in the array")
                }
                stops.append(try short(text))
            }
            return stops
        case let value?:
            throw RequestFields.wrong("stop", value, "a string, or an array of at most \(greatestStops)")
        }
    }

    private static func short(_ stop: String) throws(APIError) -> String {
        guard stop.utf8.count <= longestStop else {
            throw .invalid("stop", "a stop text has \(stop.utf8.count) bytes; expected \(longestStop) at most")
        }
        return stop
    }

    private static func streamOptions(_ value: JSONValue?, isStreamed: Bool) throws(APIError) -> Bool {
        guard let value else { return false }
        guard isStreamed else { throw .invalid("stream_options", "stream_options was given without stream") }
        guard case .object(let members) = value else { throw RequestFields.wrong("stream_options", value, "an object") }
        var inner = RequestFields(members)
        let usage = try inner.bool("include_usage") ?? false
        try inner.finish()
        return usage
    }

    /// The sequences, prompt by prompt, each a function of its prompt and its seed.
    func sequences(_ model: ServedModel) throws(APIError) -> [Trajectory] {
        do {
            return try model.sampler.start(
                prompts.flatMap { prompt in
                    let template = prompt.map { $0 } + [Int?](repeating: nil, count: tokens) + suffix.map { $0 }
                    return (0..<count).map {
                        Sampler.Request(template: template, seed: fields.seed &+ UInt64($0), settings: fields.settings)
                    }
                })
        } catch { throw APIError(error, parameter: "prompt") }
    }
}
