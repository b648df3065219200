import SEDD

/// `GET /v1/models`.
struct ModelList: Encodable, Sendable {
    struct Limits: Encodable, Sendable {
        let length: Int
        let steps: Int
        let n: Int
    }

    struct Model: Encodable, Sendable {
        let id: String
        let object = "model"
        let created: Int
        let ownedBy = "swift-sedd"
        /// Positions that it was trained on.
        let length: Int
        /// `absorb` or `uniform`.
        let graph: String
        let samplers: [String]
        let limits: Limits

        private enum CodingKeys: String, CodingKey {
            case id, object, created, length, graph, samplers, limits, ownedBy = "owned_by"
        }

        init(_ model: ServedModel, _ limits: ServerLimits) {
            id = model.name
            created = model.created
            length = model.length
            graph = model.network.configuration.graph.type.rawValue
            samplers = Predictors.names
            self.limits = Limits(length: limits.length, steps: limits.steps, n: limits.sequences)
        }
    }

    let object = "list"
    let data: [Model]
}
