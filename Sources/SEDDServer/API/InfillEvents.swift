import NIOCore
import SEDD
import Text

/// The text of a token, or the bytes of an incomplete character; neither if nothing is settled yet.
struct TokenText: Encodable, Sendable, Equatable {
    let token: Int?
    let text: String?
    let bytes: [UInt8]?

    private enum CodingKeys: String, CodingKey { case token, text, bytes }

    /// - Parameter token: nil, or the mask, if nothing is settled.
    init(_ token: Int?, _ model: ServedModel) throws {
        guard let token, token != model.graph.mask else {
            (self.token, text, bytes) = (nil, nil, nil)
            return
        }
        self.token = token
        let found = try model.tokenizer.bytes(of: Int32(token))
        text = String(validating: found, as: UTF8.self)
        bytes = text == nil ? found : nil
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(token, forKey: .token)
        try container.encode(text, forKey: .text)
        try container.encodeIfPresent(bytes, forKey: .bytes)
    }
}

/// The events of `POST /v1/infill`.
enum InfillEvents {
    /// The first event of a stream.
    static func opening(id: String, _ state: Trajectory, _ model: ServedModel) throws -> ByteBuffer {
        try ServerSentEvent.json(Start(id: id, state, model: model), event: "start")
    }

    /// The event of an advance, and after the last one that of the result.
    static func following(
        id: String, _ state: Trajectory, since arrival: ContinuousClock.Instant, _ model: ServedModel
    ) throws -> ByteBuffer {
        var buffer = try ServerSentEvent.json(Step(state, model: model), event: "step")
        if state.isFinished {
            let done = try Done(id: id, state, seconds: (.now - arrival) / .seconds(1), model: model)
            buffer.writeImmutableBuffer(try ServerSentEvent.json(done, event: "done"))
        }
        return buffer
    }

    struct Position: Encodable, Sendable {
        let token: TokenText
        let fixed: Bool

        private enum CodingKeys: String, CodingKey { case fixed }

        func encode(to encoder: any Encoder) throws {
            try token.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(fixed, forKey: .fixed)
        }
    }

    /// `start`: the initial noise, with the given tokens.
    struct Start: Encodable, Sendable {
        let id: String
        let model: String
        let length: Int
        let steps: Int
        let sampler: String
        let seed: SeedNumber
        let settings: SamplingSettings
        let mask: Int?
        /// The end-of-text token; what follows it is not part of the text.
        let endOfText: Int?
        let positions: [Position]

        private enum CodingKeys: String, CodingKey {
            case id, model, length, steps, sampler, seed, settings, mask, positions, endOfText = "end_of_text"
        }

        init(id: String, _ state: Trajectory, model: ServedModel) throws {
            self.id = id
            self.model = model.name
            (sampler, settings) = (state.settings.method, state.settings)
            (length, steps, mask) = (state.states.count, state.steps, model.graph.mask)
            seed = SeedNumber(state.seed)
            endOfText = model.tokenizer.endOfText.map { Int($0) }
            positions = try zip(state.states, state.template).map {
                Position(token: try TokenText($0, model), fixed: $1 != nil)
            }
        }
    }

    struct Alternative: Encodable, Sendable {
        let token: TokenText
        let probability: Double

        private enum CodingKeys: String, CodingKey { case probability }

        func encode(to encoder: any Encoder) throws {
            try token.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(probability, forKey: .probability)
        }
    }

    /// A position changed by a step.
    struct Changed: Encodable, Sendable {
        let position: Int
        let token: TokenText
        let probability: Double?
        let alternatives: [Alternative]

        private enum CodingKeys: String, CodingKey { case position, probability, alternatives }

        func encode(to encoder: any Encoder) throws {
            try token.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(position, forKey: .position)
            try container.encode(probability, forKey: .probability)
            try container.encode(alternatives, forKey: .alternatives)
        }
    }

    /// `step`: one advance, of at most one network evaluation.
    struct Step: Encodable, Sendable {
        let step: Int
        /// Time after the step.
        let time: Double
        /// Number of masked positions; nil under the uniform chain, where any position may change until the end.
        let open: Int?
        let changes: [Changed]

        private enum CodingKeys: String, CodingKey { case step, time, open, changes }

        init(_ state: Trajectory, model: ServedModel) throws {
            step = state.done
            time = state.time
            open = model.graph.mask.map { mask in state.states.count { $0 == mask } }
            changes = try state.changes.map { change in
                Changed(
                    position: change.position, token: try TokenText(change.state, model),
                    probability: change.probability,
                    alternatives: try change.alternatives.map {
                        Alternative(token: try TokenText($0.token, model), probability: $0.probability)
                    })
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(step, forKey: .step)
            try container.encode(time, forKey: .time)
            try container.encode(open, forKey: .open)
            try container.encode(changes, forKey: .changes)
        }
    }

    /// `done`; without streaming, the whole response.
    struct Done: Encodable, Sendable {
        let id: String
        let model: String
        let text: String
        let tokens: [Int]
        let seed: SeedNumber
        let steps: Int
        let sampler: String
        let settings: SamplingSettings
        let networkEvaluations: Int
        let seconds: Double
        /// `stop` if an end of text ended the text, `length` if it fills all positions.
        let finishReason: String
        let usage: Usage

        private enum CodingKeys: String, CodingKey {
            case id, model, text, tokens, seed, steps, sampler, settings, networkEvaluations, seconds, usage
            case finishReason = "finish_reason"
        }

        init(id: String, _ state: Trajectory, seconds: Double, model: ServedModel) throws {
            self.id = id
            self.model = model.name
            (sampler, settings) = (state.settings.method, state.settings)
            self.seconds = seconds
            let tokenIDs = state.states.map { Int32($0) }
            text = try model.tokenizer.text(ofSample: tokenIDs)
            finishReason = model.tokenizer.sampled(tokenIDs).endIndex < tokenIDs.endIndex ? "stop" : "length"
            (tokens, seed, steps) = (state.states, SeedNumber(state.seed), state.steps)
            networkEvaluations = state.networkEvaluations
            let given = state.template.count { $0 != nil }
            usage = Usage(promptTokens: given, completionTokens: state.template.count - given)
        }
    }
}
