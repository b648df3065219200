/// JSON of any shape, as a request brings it.
enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The object that `body` holds.
    ///
    /// - Throws: ``APIError`` where it is no JSON object in UTF-8.
    static func object(_ body: [UInt8]) throws(APIError) -> [String: JSONValue] {
        guard String(validating: body, as: UTF8.self) != nil else {
            throw .invalid(nil, "the body is not UTF-8; send JSON in UTF-8", code: "invalid_utf8")
        }
        let value = try JSONParser.parse(body)
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
