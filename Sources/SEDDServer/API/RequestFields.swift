import Files
import Text

/// The members of a request, taken one by one; what is left over at the end is an error.
///
/// null is as good as absent, as clients send it for what was not set.
struct RequestFields {
    private let members: [String: JSONValue]
    /// The members that have been asked for, present or not.
    private(set) var known: Set<String> = []
    /// The members that were taken and change nothing.
    private(set) var ignored: [String] = []

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

    /// A setting of other methods, which clients send as a matter of course: within its bounds it is taken, and noted where it would
    /// have changed something.
    ///
    /// - Parameter neutral: the value that means nothing.
    mutating func ignored(_ name: String, in range: ClosedRange<Double>, neutral: Double) throws(APIError) {
        if let number = try number(name, in: range), number != neutral { ignored.append(name) }
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() ? "\(Int(number))" : "\(number)"
    }

    /// Notes that a member was taken and changes nothing.
    mutating func ignore(_ name: String) { ignored.append(name) }

    /// A member that would change the answer in a way that this server cannot, unless it is empty.
    mutating func absent(_ name: String, because reason: String) throws(APIError) {
        guard let value = value(name), value != .object([:]), value != .bool(false) else { return }
        throw .invalid(name, "\(name) was given, but \(reason); leave it out", code: "unsupported_parameter")
    }

    /// - Parameter hints: what to send in place of members that other servers know.
    /// - Throws: ``APIError`` that names a member which nothing has asked for, and the one that was probably meant.
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

    /// A name that a stranger chose, no longer than a line of a log may be.
    private static func short(_ name: String) -> String { name.count > 64 ? "\(name.prefix(64))…" : name }

    private func near(_ name: String) -> String? {
        guard name.utf8.count <= 64 else { return nil }
        return NearestName.near(name, among: known.sorted())
    }
}
