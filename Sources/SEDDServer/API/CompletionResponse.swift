import Files
import SEDD

/// Token counts of a request, by OpenAI's rules.
struct Usage: Encodable, Sendable {
    /// Tokens of the prompts.
    let promptTokens: Int
    /// Generated tokens.
    let completionTokens: Int

    private enum CodingKeys: String, CodingKey {
        case promptTokens = "prompt_tokens", completionTokens = "completion_tokens", totalTokens = "total_tokens"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(promptTokens, forKey: .promptTokens)
        try container.encode(completionTokens, forKey: .completionTokens)
        try container.encode(promptTokens + completionTokens, forKey: .totalTokens)
    }
}

/// The response of `POST /v1/completions`, or one event of its stream.
struct CompletionResponse: Encodable, Sendable {
    struct Choice: Encodable, Sendable {
        let index: Int
        let text: String
        let finishReason: String?

        private enum CodingKeys: String, CodingKey { case index, text, logprobs, finishReason = "finish_reason" }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(index, forKey: .index)
            try container.encode(text, forKey: .text)
            try container.encodeNil(forKey: .logprobs)
            try container.encode(finishReason, forKey: .finishReason)
        }
    }

    let id: String
    let object = "text_completion"
    /// Seconds since 1970.
    let created: Int
    let model: String
    let choices: [Choice]
    let usage: Usage?
    /// An addition to OpenAI's schema: what reproduces the result.
    let seed: SeedNumber
    let steps: Int
    let sampler: String
    let settings: SamplingSettings

    init(
        id: String, created: Int, model: String, choices: [Choice], usage: Usage?, seed: SeedNumber,
        settings: SamplingSettings
    ) {
        self.id = id
        self.created = created
        self.model = model
        self.choices = choices
        self.usage = usage
        self.seed = seed
        steps = settings.steps
        sampler = settings.method
        self.settings = settings
    }
}
