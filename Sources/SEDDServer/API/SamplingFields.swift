import HTTPTypes
import SEDD

/// What every request that has something written may say.
struct SamplingFields: Sendable, Equatable {
    static let defaultSteps = 64

    var steps = defaultSteps
    var sampler = Predictors.names[0]
    var seed: UInt64

    /// Takes `model`, `steps`, `sampler`, `seed` and `user`.
    ///
    /// - Throws: ``APIError`` that names the member which makes no sense.
    init(_ fields: inout RequestFields, model: ServedModel, limits: ServerLimits) throws(APIError) {
        if let name = try fields.string("model"), name != model.name {
            throw APIError(
                .notFound, .notFound, "the model '\(name.prefix(100))' is not served here; expected '\(model.name)'",
                parameter: "model", code: "model_not_found")
        }
        steps = try fields.integer("steps", in: 1...limits.steps) ?? Self.defaultSteps
        if let name = try fields.string("sampler") {
            guard Predictors.names.contains(name) else {
                throw .invalid(
                    "sampler",
                    "sampler '\(name.prefix(100))' is unknown; expected \(Predictors.names.joined(separator: " or "))")
            }
            sampler = name
        }
        // Small enough for the numbers of JavaScript and of other readers of the answer.
        seed = try fields.integer("seed", in: 0...(1 << 53) - 1).map(UInt64.init) ?? .random(in: 0..<1 << 32)
        _ = try fields.string("user")
    }
}
