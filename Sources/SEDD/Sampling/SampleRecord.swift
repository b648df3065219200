/// A text with everything that it follows from and what it cost: a line of `sedd sample --jsonl`, of a study's samples, and what a
/// judge reads.
///
/// Settings stand beside the text; those that are standard are left out.
public struct SampleRecord: Sendable, Equatable {
    public var text: String
    /// In the vocabulary of the model that wrote it.
    public var tokens: [Int]?
    public var seed: UInt64?
    /// How it was drawn; nil where nobody knows.
    public var settings: SamplingSettings?
    /// Passes of the sequence through the network's trunk.
    public var networkEvaluations: Int?
    public var seconds: Double?
    /// What the model computed in; nil where nobody knows.
    public var precision: Precision?

    public init(
        text: String, tokens: [Int]? = nil, seed: UInt64? = nil, settings: SamplingSettings? = nil,
        networkEvaluations: Int? = nil, seconds: Double? = nil, precision: Precision? = nil
    ) {
        self.text = text
        self.tokens = tokens
        self.seed = seed
        self.settings = settings
        self.networkEvaluations = networkEvaluations
        self.seconds = seconds
        self.precision = precision
    }

    /// The record of a finished trajectory.
    ///
    /// - Parameter text: of its states.
    public init(_ trajectory: Trajectory, text: String, seconds: Double, precision: Precision) {
        self.init(
            text: text, tokens: trajectory.states, seed: trajectory.seed, settings: trajectory.settings,
            networkEvaluations: trajectory.networkEvaluations, seconds: seconds, precision: precision)
    }
}

extension SampleRecord: Codable {
    private enum Keys: String, CodingKey {
        case text, tokens, seed, steps, sampler, networkEvaluations, seconds, grid, temperature, topK, topP, precision
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.init(
            text: try container.decode(String.self, forKey: .text),
            tokens: try container.decodeIfPresent([Int].self, forKey: .tokens),
            seed: try container.decodeIfPresent(UInt64.self, forKey: .seed),
            networkEvaluations: try container.decodeIfPresent(Int.self, forKey: .networkEvaluations),
            seconds: try container.decodeIfPresent(Double.self, forKey: .seconds),
            precision: try container.decodeIfPresent(Precision.self, forKey: .precision))
        guard let sampler = try container.decodeIfPresent(String.self, forKey: .sampler) else { return }
        // A line that says how it was drawn says where it was not in float32.
        precision = precision ?? .float32
        settings = SamplingSettings(
            method: sampler, steps: try container.decodeIfPresent(Int.self, forKey: .steps) ?? 1,
            grid: try container.decodeIfPresent(TimeGrid.Kind.self, forKey: .grid) ?? .linear,
            filter: TokenFilter(
                temperature: try container.decodeIfPresent(Double.self, forKey: .temperature) ?? 1,
                topK: try container.decodeIfPresent(Int.self, forKey: .topK),
                topP: try container.decodeIfPresent(Double.self, forKey: .topP)),
            own: try SamplingSettings.own(decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(text, forKey: .text)
        try container.encodeIfPresent(tokens, forKey: .tokens)
        try container.encodeIfPresent(seed, forKey: .seed)
        try container.encodeIfPresent(networkEvaluations, forKey: .networkEvaluations)
        try container.encodeIfPresent(seconds, forKey: .seconds)
        if precision != .float32 { try container.encodeIfPresent(precision, forKey: .precision) }
        guard let settings else { return }
        try container.encode(settings.method, forKey: .sampler)
        try container.encode(settings.steps, forKey: .steps)
        if settings.grid != .linear { try container.encode(settings.grid, forKey: .grid) }
        if settings.filter.temperature != 1 { try container.encode(settings.filter.temperature, forKey: .temperature) }
        try container.encodeIfPresent(settings.filter.topK, forKey: .topK)
        try container.encodeIfPresent(settings.filter.topP, forKey: .topP)
        var named = encoder.container(keyedBy: NamedKey.self)
        for (name, value) in settings.own { try named.encode(value, forKey: NamedKey(name)) }
    }
}
