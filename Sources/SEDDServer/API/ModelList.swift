import SEDD

/// `GET /v1/models`.
struct ModelList: Encodable, Sendable {
    struct Limits: Encodable, Sendable {
        let length: Int
        let steps: Int
        let n: Int
    }

    /// A sampler and its settings, for the page.
    struct Method: Encodable, Sendable {
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

        let name, summary: String
        let settings: [Setting]

        init(_ kind: SamplingMethodKind) {
            (name, summary, settings) = (kind.name, kind.summary, kind.settings.map(Setting.init))
        }
    }

    struct Model: Encodable, Sendable {
        let id: String
        let object = "model"
        let created: Int
        let ownedBy = "swift-sedd"
        /// Sequence length used in training.
        let length: Int
        /// `absorb` or `uniform`.
        let graph: String
        let samplers: [String]
        let methods: [Method]
        let grids: [String]
        let limits: Limits

        private enum CodingKeys: String, CodingKey {
            case id, object, created, length, graph, samplers, methods, grids, limits, ownedBy = "owned_by"
        }

        init(_ model: ServedModel, _ limits: ServerLimits) {
            id = model.name
            created = model.created
            length = model.length
            graph = model.network.configuration.graph.type.rawValue
            let kinds = SamplingMethods.all.filter { $0.reverses(model.graph) }
            samplers = kinds.map(\.name)
            methods = kinds.map(Method.init)
            grids = TimeGrid.Kind.names.filter { $0 != "profile" || model.sampler.process.profile != nil }
            self.limits = Limits(length: limits.length, steps: limits.steps, n: limits.sequences)
        }
    }

    let object = "list"
    let data: [Model]
}
