import Files
import Text

/// The members of a request, consumed one by one; members left over at the end are an error.
///
/// null is equivalent to absent: clients send it for unset members.
struct RequestFields {
    private let members: [String: JSONValue]
    /// Members that have been consumed, present or not.
    private(set) var known: Set<String> = []
    /// Members that were accepted but have no effect.
    private(set) var ignored: [String] = []

    init(_ members: [String: JSONValue]) {
        self.members = members.filter { $0.value != .null }
    }

    /// Limits on depth and size of a meaningful request: three levels, and a prompt of token ids.
    private static let rules = JSONParser.Rules(depth: 16, values: 100_000)

    /// - Throws: ``APIError`` if the body is not a JSON object in UTF-8.
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
        let number: Double? =
            switch value {
            case .integer(let number): Double(number)
            case .number(let number): number
            default: nil
            }
        guard let number, range.contains(number) else {
            throw Self.wrong(
                name, value, "a number from \(Self.plain(range.lowerBound)) to \(Self.plain(range.upperBound))")
        }
        return number
    }

    /// A setting of other sampling methods that clients send by default: within its bounds it is accepted, and noted if
    /// it would have had an effect.
    ///
    /// - Parameter neutral: the value without effect.
    mutating func ignored(_ name: String, in range: ClosedRange<Double>, neutral: Double) throws(APIError) {
        if let number = try number(name, in: range), number != neutral { ignored.append(name) }
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() ? "\(Int(number))" : "\(number)"
    }

    /// Notes that a member was accepted but has no effect.
    mutating func ignore(_ name: String) { ignored.append(name) }

    /// Refuses a member that would change the response in an unsupported way, unless it is empty.
    mutating func absent(_ name: String, because reason: String) throws(APIError) {
        guard let value = value(name), value != .object([:]), value != .bool(false) else { return }
        throw .invalid(name, "\(name) is not supported: \(reason); leave it out", code: "unsupported_parameter")
    }

    /// - Parameter hints: replacements for members that other servers accept.
    /// - Throws: ``APIError`` that names an unknown member, and the one that was probably meant.
    func finish(hints: [String: String] = [:]) throws(APIError) {
        guard let unknown = members.keys.filter({ !known.contains($0) }).sorted().first else { return }
        let advice = hints[unknown].map { "; \($0)" } ?? near(unknown).map { "; did you mean \($0)?" } ?? ""
        throw .invalid(
            Self.short(unknown), "'\(Self.short(unknown))' is not a member of this request\(advice)",
            code: "unknown_parameter")
    }

    static func wrong(_ name: String, _ value: JSONValue, _ expected: String) -> APIError {
        .invalid(name, "\(name) is \(value.name); expected \(expected)")
    }

    /// A client-supplied name, truncated for logs and messages.
    private static func short(_ name: String) -> String { name.count > 64 ? "\(name.prefix(64))…" : name }

    private func near(_ name: String) -> String? {
        guard name.utf8.count <= 64 else { return nil }
        return NearestName.near(name, among: known.sorted())
    }
}
