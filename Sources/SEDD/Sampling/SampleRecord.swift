/// A generated text with everything that determined it, besides model and template, and what it cost: a line of `sedd
/// sample --jsonl` and of a study's samples, and the input of a judge.
///
/// Settings are members beside the text; those with default values are omitted.
public struct SampleRecord: Sendable, Equatable {
    /// The generated text.
    public var text: String
    /// In the vocabulary of the model that generated it.
    public var tokens: [Int]?
    /// The seed of the sequence.
    public var seed: UInt64?
    /// How it was sampled; nil if unknown.
    public var settings: SamplingSettings?
    /// Network evaluations of the sequence.
    public var networkEvaluations: Int?
    /// Duration; shared by the sequences of a batch.
    public var seconds: Double?
    /// Precision of the model; nil if unknown.
    public var precision: Precision?

    /// Creates a record.
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
    /// - Parameter text: the decoded states.
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

    /// Reads a line of `sedd sample --jsonl` or of any other tool. Only `text` is required; unless the line names one
    /// of our samplers, members of other types than ours mean something else and are left out.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let named = (try? container.decodeIfPresent(String.self, forKey: .sampler)) ?? nil
        let isOurs = named.map { SamplingMethods.names.contains($0) } ?? false
        func own<Value: Decodable>(_ type: Value.Type, _ key: Keys) throws -> Value? {
            do { return try container.decodeIfPresent(type, forKey: key) } catch {
                guard !isOurs else { throw error }
                return nil
            }
        }
        self.init(
            text: try container.decode(String.self, forKey: .text), tokens: try own([Int].self, .tokens),
            seed: try own(UInt64.self, .seed), networkEvaluations: try own(Int.self, .networkEvaluations),
            seconds: try own(Double.self, .seconds), precision: try own(Precision.self, .precision))
        guard let named else { return }
        // A line that records a sampler records its precision unless that is float32.
        precision = precision ?? .float32
        settings = SamplingSettings(
            method: named, steps: try own(Int.self, .steps) ?? 1, grid: try own(TimeGrid.Kind.self, .grid) ?? .linear,
            filter: TokenFilter(
                temperature: try own(Double.self, .temperature) ?? 1, topK: try own(Int.self, .topK),
                topP: try own(Double.self, .topP)),
            own: isOurs ? try SamplingSettings.own(decoder) : [:])
    }

    /// Writes the settings beside the other members; float32, a linear grid and a temperature of 1 are left out.
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
