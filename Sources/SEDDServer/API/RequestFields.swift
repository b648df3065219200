import Files
import Text

/// The members of a request, taken one by one; what is left over at the end is an error.
///
/// null is as good as absent, as clients send it for what was not set.
struct RequestFields {
    private let members: [String: JSONValue]
    /// The members that have been asked for, present or not.
    private(set) var known: Set<String> = []

    init(_ members: [String: JSONValue]) {
        self.members = members.filter { $0.value != .null }
    }

    /// As deep and as much as a request can mean: three levels, and a prompt of token ids.
    private static let rules = JSONParser.Rules(depth: 16, values: 100_000)

    /// - Throws: ``APIError`` where the body is not a JSON object in UTF-8.
    init(body: [UInt8]) throws(APIError) {
        guard String(validating: body, as: UTF8.self) != nil else {
            throw .invalid(nil, "the body is not UTF-8; send JSON in UTF-8", code: "invalid_utf8")
        }
        let value: JSONValue
        do { value = try JSONParser.parse(body, Self.rules) } catch {
            throw .invalid(
                nil, "the body is not valid JSON: \(error.problem) at byte \(error.byteOffset); send one JSON object",
                code: "invalid_json")
        }
        guard case .object(let members) = value else {
            throw .invalid(nil, "the body is \(value.name); expected a JSON object", code: "invalid_json")
        }
        self.init(members)
    }

    mutating func value(_ name: String) -> JSONValue? {
        known.insert(name)
        return members[name]
    }

    mutating func string(_ name: String) throws(APIError) -> String? {
        guard let value = value(name) else { return nil }
        guard case .string(let text) = value else { throw Self.wrong(name, value, "a string") }
        return text
    }

    mutating func bool(_ name: String) throws(APIError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let flag) = value else { throw Self.wrong(name, value, "true or false") }
        return flag
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let value = value(name) else { return nil }
        guard case .integer(let number) = value, range.contains(number) else {
            throw Self.wrong(name, value, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func number(_ name: String, in range: ClosedRange<Double>) throws(APIError) -> Double? {
        guard let value = value(name) else { return nil }
        let found: Double? =
            switch value {
            case .integer(let number): Double(number)
            case .number(let number): number
            default: nil
            }
        guard let found, range.contains(found) else {
            throw Self.wrong(name, value, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return found
    }

    /// A number that has only one meaning here, which a client may send all the same.
    ///
    /// - Parameter reason: why it cannot be another.
    mutating func only(_ expected: Double, _ name: String, because reason: String) throws(APIError) {
        guard let value = value(name) else { return }
        let number: Double? =
            switch value {
            case .integer(let number): Double(number)
            case .number(let number): number
            default: nil
            }
        guard number == expected else {
            throw .invalid(
                name, "\(name) is \(value.name), but \(reason); leave it out", code: "unsupported_value")
        }
    }

    /// A member that has no meaning here unless it is empty.
    mutating func absent(_ name: String, because reason: String) throws(APIError) {
        guard let value = value(name), value != .object([:]), value != .bool(false) else { return }
        throw .invalid(name, "\(name) was given, but \(reason); leave it out", code: "unsupported_parameter")
    }

    /// - Throws: ``APIError`` that names a member which nothing has asked for, and the nearest known one.
    func finish() throws(APIError) {
        guard let unknown = members.keys.filter({ !known.contains($0) }).sorted().first else { return }
        let near = nearest(unknown).map { "; did you mean \($0)?" } ?? ""
        throw .invalid(
            Self.short(unknown), "'\(Self.short(unknown))' is no member of this request\(near)",
            code: "unknown_parameter")
    }

    static func wrong(_ name: String, _ value: JSONValue, _ expected: String) -> APIError {
        .invalid(name, "\(name) is \(value.name); expected \(expected)")
    }

    /// A name that a stranger chose, no longer than a line of a log may be.
    private static func short(_ name: String) -> String { name.count > 64 ? "\(name.prefix(64))…" : name }

    private func nearest(_ name: String) -> String? {
        guard name.utf8.count <= 64 else { return nil }
        return NearestName.of(name, among: known.sorted())
    }
}
