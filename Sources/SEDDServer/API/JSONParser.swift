/// JSON (RFC 8259) read in one pass, as deep and as much as a request of this server can mean and no further.
///
/// Foundation's decoder tries one type after the other for a value of unknown type, at a cost that grows with its depth: some
/// hundred kilobytes of brackets, which anybody can send, keep it busy for minutes.
struct JSONParser {
    /// Levels of arrays and objects; a request has three.
    static let greatestDepth = 16
    /// Values of all kinds; as many as a prompt of token ids can have.
    static let greatestCount = 100_000

    private let bytes: [UInt8]
    private var place = 0
    private var count = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// - Parameter bytes: UTF-8.
    /// - Throws: ``APIError`` with the byte where it is no JSON, or too deep or too much.
    static func parse(_ bytes: [UInt8]) throws(APIError) -> JSONValue {
        var parser = JSONParser(bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.place == bytes.count else { throw parser.fault("something follows the value") }
        return value
    }

    private func fault(_ what: String) -> APIError {
        .invalid(nil, "the body is no JSON: \(what) at byte \(place); send one JSON object", code: "invalid_json")
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) && byte != 0x0B && byte != 0x0C {
            place += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        place += 1
        return true
    }

    private mutating func value(depth: Int) throws(APIError) -> JSONValue {
        skipSpace()
        count += 1
        guard count <= Self.greatestCount else { throw fault("more than \(Self.greatestCount) values") }
        guard depth <= Self.greatestDepth else { throw fault("more than \(Self.greatestDepth) levels") }
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw fault("it ends")
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(APIError) -> JSONValue {
        guard bytes[place...].starts(with: word.utf8) else { throw fault("no value") }
        place += word.utf8.count
        return value
    }

    private mutating func array(depth: Int) throws(APIError) -> JSONValue {
        place += 1
        var values: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(values) }
            guard take(UInt8(ascii: ",")) else { throw fault("no comma in an array") }
        }
    }

    private mutating func object(depth: Int) throws(APIError) -> JSONValue {
        place += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object([:]) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fault("no name of a member") }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw fault("no colon after a name") }
            let found = try value(depth: depth + 1)
            guard members.updateValue(found, forKey: name) == nil else { throw fault("a member that was there before") }
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw fault("no comma in an object") }
        }
    }

    /// A whole number, where an Int holds it; else the nearest double, which may be infinite.
    private mutating func number() throws(APIError) -> JSONValue {
        let start = place
        func digits(_ from: Int) -> Int {
            var end = from
            while end < bytes.count, (0x30...0x39).contains(bytes[end]) { end += 1 }
            return end
        }
        var end = start
        if end < bytes.count, bytes[end] == UInt8(ascii: "-") { end += 1 }
        let whole = digits(end)
        guard whole > end, whole == end + 1 || bytes[end] != UInt8(ascii: "0") else { throw fault("no value") }
        end = whole
        if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
            let fraction = digits(end + 1)
            guard fraction > end + 1 else { throw fault("no digit after a point") }
            end = fraction
        }
        if end < bytes.count, bytes[end] | 0x20 == UInt8(ascii: "e") {
            let sign =
                end + 1 < bytes.count && (bytes[end + 1] == UInt8(ascii: "+") || bytes[end + 1] == UInt8(ascii: "-"))
            let exponent = digits(end + (sign ? 2 : 1))
            guard exponent > end + (sign ? 2 : 1) else { throw fault("no digit in an exponent") }
            end = exponent
        }
        place = end
        let text = String(decoding: bytes[start..<end], as: UTF8.self)
        if end == whole, let integer = Int(text) { return .integer(integer) }
        guard let double = Double(text) else { throw fault("no number") }
        if let integer = Int(exactly: double), abs(integer) < 1 << 53 { return .integer(integer) }
        return .number(double)
    }

    private mutating func string() throws(APIError) -> String {
        place += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                place += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault("a control character in a string")
            default:
                text.append(byte)
                place += 1
            }
        }
        throw fault("a string that does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(APIError) {
        place += 1
        let plain: [UInt8: UInt8] = [
            UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "/"): 0x2F, UInt8(ascii: "b"): 0x08,
            UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
        ]
        if let byte = next, let meant = plain[byte] {
            text.append(meant)
            place += 1
            return
        }
        guard take(UInt8(ascii: "u")) else { throw fault("an unknown escape in a string") }
        var code = UInt32(try unit())
        if (0xD800..<0xDC00).contains(code), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
            let low = UInt32(try unit())
            guard (0xDC00..<0xE000).contains(low) else { throw fault("half a surrogate pair") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw fault("half a surrogate pair") }
        text += Array(String(Character(scalar)).utf8)
    }

    /// Four hexadecimal digits.
    private mutating func unit() throws(APIError) -> UInt16 {
        guard place + 4 <= bytes.count,
            bytes[place..<place + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt16(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16)
        else { throw fault("no four digits of an escape") }
        place += 4
        return value
    }
}
