import SEDD
import Text

/// `GET /v1/models`.
struct ModelList: Encodable, Sendable {
    struct Limits: Encodable, Sendable {
        let length: Int
        let steps: Int
        let n: Int
    }

    /// A setting and its declaration, for the page.
    struct Setting: Encodable, Sendable {
        let name, help, expected: String
        let standard: SettingValue
        /// The choices; nil for numbers.
        let choices: [String]?

        init(_ setting: SettingDeclaration) {
            (name, help, expected, standard) = (setting.name, setting.help, setting.expected, setting.standard)
            choices = if case .choice(let words) = setting.kind { words } else { nil }
        }
    }

    /// A sampler and its settings, for the page.
    struct Method: Encodable, Sendable {
        let name, summary: String
        /// Whether it follows the steps of a grid.
        let usesGrid: Bool
        let settings: [Setting]

        private enum CodingKeys: String, CodingKey { case name, summary, usesGrid = "uses_grid", settings }

        init(_ kind: SamplingMethodKind) {
            (name, summary, usesGrid) = (kind.name, kind.summary, kind.usesGrid)
            settings = kind.settings.map(Setting.init)
        }
    }

    /// A time grid, for the page.
    struct Grid: Encodable, Sendable {
        let name, summary: String
    }

    struct TokenizerFacts: Encodable, Sendable {
        let kind: String
        let tokens: Int
        /// The end-of-text token, if there is one.
        let endOfText: Int?
        /// Average for plain English, from which the page estimates the width of a hole.
        let charactersPerToken: Double

        private enum CodingKeys: String, CodingKey {
            case kind, tokens, endOfText = "end_of_text", charactersPerToken = "characters_per_token"
        }

        private static let sample =
            "Once there was a little girl who lived with her mother in a small house by the sea. One day they went for a walk."

        init(_ tokenizer: any Tokenizer) {
            (kind, tokens) = (tokenizer.kind, tokenizer.vocabularySize)
            endOfText = tokenizer.endOfText.map { Int($0) }
            // Even for an alphabet without these letters, a token is one character.
            let count = (try? tokenizer.encode(Self.sample).count) ?? Self.sample.count
            charactersPerToken = Double(Self.sample.count) / Double(max(1, count))
        }
    }

    struct Model: Encodable, Sendable {
        let id: String
        let object = "model"
        let created: Int
        let ownedBy = "swift-sedd"
        /// Number of weights.
        let parameters: Int
        let tokenizer: TokenizerFacts
        /// The model card in the model's folder.
        let card: ModelCard?
        /// The settings of a request that does not specify any.
        let defaults: SamplingSettings
        /// Sequence length used in training.
        let length: Int
        /// `absorb` or `uniform`.
        let graph: String
        /// `score` or `cleanToken`.
        let parametrisation: String
        /// `sigma`, `zero` or `none`.
        let conditioning: String
        let samplers: [String]
        let methods: [Method]
        let filters: [Setting]
        let grids: [Grid]
        let limits: Limits

        private enum CodingKeys: String, CodingKey {
            case id, object, created, parameters, tokenizer, card, defaults, length, graph, parametrisation,
                conditioning
            case samplers, methods, filters, grids, limits, ownedBy = "owned_by"
        }

        init(_ model: ServedModel, _ limits: ServerLimits) {
            id = model.name
            created = model.created
            length = model.length
            let configuration = model.network.configuration
            graph = configuration.graph.type.rawValue
            parametrisation = configuration.model.parametrisation.rawValue
            conditioning = configuration.model.conditioning.rawValue
            let kinds = SamplingMethods.all.filter { $0.reverses(model.graph) }
            samplers = kinds.map(\.name)
            methods = kinds.map(Method.init)
            filters = TokenFilter.settings.map(Setting.init)
            grids = model.grids.map { Grid(name: $0.name, summary: $0.summary) }
            parameters = model.network.weights.layout.parameters
            tokenizer = TokenizerFacts(model.tokenizer)
            card = model.card
            defaults = SamplingFields.defaults
            self.limits = Limits(length: limits.length, steps: limits.steps, n: limits.sequences)
        }
    }

    let object = "list"
    let data: [Model]
}

extension ServedModel {
    /// The grids that requests may name: `profile` only where a profile was measured.
    var grids: [(name: String, summary: String)] {
        TimeGrid.Kind.declared.filter { $0.name != "profile" || sampler.process.profile != nil }
    }
}
