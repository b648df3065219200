/// Parses JSON (RFC 8259) into a tree in one pass, with limits on depth and number of values.
///
/// Foundation's decoder tries one type after another for a value of unknown type, at a cost that grows with the depth:
/// a few hundred kilobytes of brackets, which any client can send, keep it busy for minutes.
package struct JSONParser {
    /// Limits and options of the parser.
    package struct Rules: Sendable {
        /// Maximum nesting depth.
        package var depth: Int
        /// Maximum number of values.
        package var values: Int
        /// Treatment of unpaired surrogates.
        package var loneSurrogates = JSONScanner.LoneSurrogates.refused
        /// Whether an object may repeat a member; the last one counts then, as for most readers.
        package var allowsDuplicates = false
        /// Whether `NaN`, `Infinity` and `-Infinity` are accepted as numbers, as Python writes them.
        package var allowsNonFinite = false

        /// Rules with the given limits, strict otherwise.
        package init(depth: Int, values: Int) {
            self.depth = depth
            self.values = values
        }

        /// For configurations, indices and reports written by this project or similar ones.
        package static let file = {
            var rules = Rules(depth: 64, values: 1 << 22)
            (rules.loneSurrogates, rules.allowsDuplicates, rules.allowsNonFinite) = (.replaced, true, true)
            return rules
        }()
    }

    private var scanner: JSONScanner
    private let rules: Rules
    private var count = 0

    /// Parses `bytes`, which must be valid UTF-8.
    ///
    /// - Throws: ``JSONFault`` with the byte offset if they are not JSON or exceed the limits.
    package static func parse(_ bytes: [UInt8], _ rules: Rules) throws(JSONFault) -> JSONValue {
        try parseNoting(bytes, rules).value
    }

    /// The same, and whether an unpaired surrogate was replaced.
    package static func parseNoting(
        _ bytes: [UInt8], _ rules: Rules
    ) throws(JSONFault) -> (value: JSONValue, hasReplaced: Bool) {
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONFault) in
                var parser = JSONParser(
                    scanner: JSONScanner(buffer, loneSurrogates: rules.loneSurrogates), rules: rules)
                let value = try parser.value(depth: 0)
                try parser.scanner.expectEnd()
                return (value: value, hasReplaced: parser.scanner.hasReplaced)
            }
        }
        return try result.get()
    }

    private init(scanner: JSONScanner, rules: Rules) {
        self.scanner = scanner
        self.rules = rules
    }

    private mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
        count += 1
        guard count <= rules.values else { throw scanner.fault("more than \(rules.values) values") }
        guard depth <= rules.depth else { throw scanner.fault("more than \(rules.depth) levels") }
        switch scanner.peek() {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try scanner.string())
        case nil: throw scanner.fault("expected a value, found the end")
        default: break
        }
        if scanner.take(word: "true") { return .bool(true) }
        if scanner.take(word: "false") { return .bool(false) }
        if scanner.take(word: "null") { return .null }
        if rules.allowsNonFinite {
            if scanner.take(word: "NaN") { return .number(.nan) }
            if scanner.take(word: "Infinity") { return .number(.infinity) }
            if scanner.take(word: "-Infinity") { return .number(-.infinity) }
        }
        switch try scanner.number() {
        case .integer(let integer): return .integer(integer)
        case .unsigned(let unsigned): return .unsigned(unsigned)
        case .double(let double):
            // 1.0 and 1e2 are integers too, as far as doubles represent integers exactly.
            return abs(double) < 0x1p53
                ? Int(exactly: double).map { .integer($0) } ?? .number(double) : .number(double)
        }
    }

    private mutating func array(depth: Int) throws(JSONFault) -> JSONValue {
        try scanner.expect(UInt8(ascii: "["))
        var values: [JSONValue] = []
        if scanner.take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            values.append(try value(depth: depth + 1))
            if scanner.take(UInt8(ascii: "]")) { return .array(values) }
            guard scanner.take(UInt8(ascii: ",")) else { throw scanner.fault("expected ',' or ']' in an array") }
        }
    }

    private mutating func object(depth: Int) throws(JSONFault) -> JSONValue {
        try scanner.expect(UInt8(ascii: "{"))
        var members: [String: JSONValue] = [:]
        if scanner.take(UInt8(ascii: "}")) { return .object([:]) }
        while true {
            guard scanner.peek() == UInt8(ascii: "\"") else { throw scanner.fault("expected the name of a member") }
            let name = try scanner.string()
            guard scanner.take(UInt8(ascii: ":")) else { throw scanner.fault("expected ':' after a name") }
            let found = try value(depth: depth + 1)
            guard members.updateValue(found, forKey: name) == nil || rules.allowsDuplicates else {
                throw scanner.fault("a repeated member")
            }
            if scanner.take(UInt8(ascii: "}")) { return .object(members) }
            guard scanner.take(UInt8(ascii: ",")) else { throw scanner.fault("expected ',' or '}' in an object") }
        }
    }
}
