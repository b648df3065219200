import Foundation
import Testing

@testable import SEDDServer

struct JSONParserTests {
    @Test(arguments: [
        ("null", JSONValue.null), (" true ", .bool(true)), ("-0", .integer(0)), ("12", .integer(12)),
        ("1.0", .integer(1)),
        ("1e2", .integer(100)), ("-1.5e-1", .number(-0.15)), ("1e400", .number(.infinity)),
        ("99999999999999999999", .number(1e20)),
        ("\"a\\n\\u00e9\\ud83d\\ude00\\/\"", .string("a\né😀/")), ("[]", .array([])),
        ("[1, [2], {}]", .array([.integer(1), .array([.integer(2)]), .object([:])])),
        ("{\"a\":{\"b\":[false]}}", .object(["a": .object(["b": .array([.bool(false)])])])),
        ("\"\u{7F}\"", .string("\u{7F}")),
    ])
    func values(_ text: String, _ expected: JSONValue) throws {
        #expect(try JSONParser.parse(Array(text.utf8)) == expected)
    }

    @Test(arguments: [
        "", " ", "nul", "truex", "01", "-", "1.", ".5", "+1", "1e", "1e+", "[1,]", "[1 2]", "[", "{", "{\"a\"}",
        "{\"a\":}",
        "{a:1}", "{\"a\":1,}", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
        "\"a\nb\"", "1 2", "'a'", "NaN", "Infinity", "// c\n1",
    ])
    func whatIsNone(_ text: String) {
        #expect(throws: APIError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    /// What Foundation reads, this reads alike.
    @Test func likeFoundation() throws {
        let text = "{\"a\": [1, 2.5, -3e5, \"x\\u0041\\t\", null, true], \"b\": {\"c\": \"é\"}, \"\": []}"
        let found = try JSONParser.parse(Array(text.utf8))
        func same(_ value: JSONValue, _ other: Any) -> Bool {
            switch value {
            case .null: return other is NSNull
            case .bool(let flag): return other as? Bool == flag
            case .integer(let number): return other as? Int == number
            case .number(let number): return other as? Double == number
            case .string(let text): return other as? String == text
            case .array(let values):
                guard let other = other as? [Any], other.count == values.count else { return false }
                return zip(values, other).allSatisfy(same)
            case .object(let members):
                guard let other = other as? [String: Any], other.count == members.count else { return false }
                return members.allSatisfy { name, value in other[name].map { same(value, $0) } ?? false }
            }
        }
        #expect(same(found, try JSONSerialization.jsonObject(with: Data(text.utf8))))
    }

    /// A body that is made to be slow is refused at once.
    @Test func whatIsDeepOrMuch() {
        for body in [
            String(repeating: "[", count: 500_000), "[" + String(repeating: "\"\",", count: 300_000) + "1]",
            String(repeating: "{\"a\":", count: 100_000),
        ] {
            let start = ContinuousClock.now
            #expect(throws: APIError.self) { try JSONParser.parse(Array(body.utf8)) }
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }
}
