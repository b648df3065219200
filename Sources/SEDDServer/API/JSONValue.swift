import Foundation

/// JSON of any shape, as a request brings it.
enum JSONValue: Decodable, Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let values = try? container.decode([JSONValue].self) {
            self = .array(values)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// The object that `body` holds.
    ///
    /// - Throws: ``APIError`` where it is no JSON object in UTF-8.
    static func object(_ body: [UInt8]) throws(APIError) -> [String: JSONValue] {
        guard String(validating: body, as: UTF8.self) != nil else {
            throw .invalid(nil, "the body is not UTF-8; send JSON in UTF-8", code: "invalid_utf8")
        }
        let value: JSONValue
        do { value = try JSONDecoder().decode(JSONValue.self, from: Data(body)) } catch {
            throw .invalid(nil, "the body is no JSON; send one JSON object", code: "invalid_json")
        }
        guard case .object(let members) = value else {
            throw .invalid(nil, "the body is \(value.name); expected a JSON object", code: "invalid_json")
        }
        return members
    }

    /// What messages call it.
    var name: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
