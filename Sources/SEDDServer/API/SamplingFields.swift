import Files
import HTTPTypes
import SEDD

/// Members common to all requests that generate text.
struct SamplingFields: Sendable, Equatable {
    /// The settings of a request that does not specify any.
    static let defaults = SamplingSettings(steps: 64)
    /// The seed that means "draw one", as OpenAI's clients and others send it.
    static let drawSeed = -1

    var settings = defaults
    /// Any 64-bit integer; negative ones by their bit pattern.
    var seed: UInt64

    /// Consumes `model`, `seed`, `user`, and the settings: `sampler`, `steps`, `grid`, `temperature`, `top_k`, `top_p`
    /// and those that samplers declare.
    ///
    /// - Throws: ``APIError`` that names the invalid member.
    init(_ fields: inout RequestFields, model: ServedModel, limits: ServerLimits) throws(APIError) {
        if let name = try fields.string("model"), name != model.name {
            throw APIError(
                .notFound, .notFound, "the model '\(name.prefix(100))' is not served here; expected '\(model.name)'",
                parameter: "model", code: "model_not_found")
        }
        settings.steps = try fields.integer("steps", in: 1...limits.steps) ?? Self.defaults.steps
        if let name = try fields.string("sampler") {
            do { settings.method = try SamplingMethods.named(name).name } catch {
                throw APIError(error, parameter: "sampler")
            }
        }
        if let name = try fields.string("grid") {
            do { settings.grid = try TimeGrid.Kind(named: name) } catch { throw APIError(error, parameter: "grid") }
        }
        // As in OpenAI's API, 0 requests the most probable token.
        if let temperature = try fields.number("temperature", in: 0...100) {
            if temperature == 0 { settings.filter.topK = 1 } else { settings.filter.temperature = temperature }
        }
        if let topK = try fields.integer("top_k", in: 1...1 << 30) {
            settings.filter.topK = settings.filter.topK ?? topK
        }
        if let topP = try fields.number("top_p", in: 0...1) {
            // As in OpenAI's API, 0 keeps the most probable token.
            settings.filter.topP = topP == 1 ? nil : max(topP, 1e-6)
        }
        for setting in SamplingMethods.settings {
            guard let value = fields.value(setting.name) else { continue }
            settings.own[setting.name] = try Self.value(value, setting)
        }
        do { try settings.validate() } catch { throw APIError(error, parameter: "sampler") }
        do { _ = try SamplingMethods.make(settings, for: model.sampler.process) } catch {
            throw APIError(error, parameter: settings.grid == .profile ? "grid" : "sampler")
        }
        // A drawn seed fits a double, so that JavaScript and other readers of the response represent it exactly.
        seed = try Self.seed(fields.value("seed")) ?? .random(in: 0..<1 << 32)
        _ = try fields.string("user")
    }

    /// Any 64-bit integer, signed or unsigned; nil if one is to be drawn.
    private static func seed(_ value: JSONValue?) throws(APIError) -> UInt64? {
        switch value {
        case nil, .integer(drawSeed): nil
        case .integer(let seed): UInt64(bitPattern: Int64(seed))
        case .unsigned(let seed): seed
        case let value?:
            throw RequestFields.wrong("seed", value, "a 64-bit integer, or \(drawSeed) to draw one")
        }
    }

    private static func value(_ value: JSONValue, _ setting: SettingDeclaration) throws(APIError) -> SettingValue {
        let given: SettingValue
        switch value {
        case .integer(let number): given = .number(Double(number))
        case .number(let number): given = .number(number)
        case .string(let word): given = .word(word)
        default: throw RequestFields.wrong(setting.name, value, setting.expected)
        }
        do { try setting.check(given) } catch { throw APIError(error, parameter: setting.name) }
        return given
    }
}
