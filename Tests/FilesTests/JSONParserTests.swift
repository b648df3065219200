import Foundation
import Testing

@testable import Files

struct JSONParserTests {
    private let strict = JSONParser.Rules(depth: 16, values: 100_000)

    private func parse(_ text: String, _ rules: JSONParser.Rules? = nil) throws(JSONFault) -> JSONValue {
        try JSONParser.parse(Array(text.utf8), rules ?? strict)
    }

    @Test(arguments: [
        ("null", JSONValue.null), (" true ", .bool(true)), ("-0", .integer(0)), ("12", .integer(12)),
        ("1.0", .integer(1)),
        ("1e2", .integer(100)), ("-1.5e-1", .number(-0.15)), ("1e400", .number(.infinity)),
        ("99999999999999999999", .number(1e20)), ("18446744073709551615", .unsigned(.max)),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        // Beyond the range of Int, and doubles that round to its limits; these used to trap.
        ("-9223372036854775809", .number(-0x1p63)), ("-9223372036854775808.0", .number(-0x1p63)),
        ("-9.223372036854775808e18", .number(-0x1p63)), ("9.223372036854775807e18", .number(0x1p63)),
        ("-9007199254740993.0", .number(-0x1p53)), ("9007199254740992.0", .number(0x1p53)),
        ("\u{FEFF}[1]", .array([.integer(1)])),
        ("\"a\\n\\u00e9\\ud83d\\ude00\\/\"", .string("a\né😀/")), ("[]", .array([])),
        ("[1, [2], {}]", .array([.integer(1), .array([.integer(2)]), .object([:])])),
        ("{\"a\":{\"b\":[false]}}", .object(["a": .object(["b": .array([.bool(false)])])])),
        ("\"\u{7F}\"", .string("\u{7F}")),
    ])
    func values(_ text: String, _ expected: JSONValue) throws {
        #expect(try parse(text) == expected)
    }

    @Test(arguments: [
        "", " ", "nul", "truex", "01", "-", "1.", ".5", "+1", "1e", "1e+", "[1,]", "[1 2]", "[", "{", "{\"a\"}",
        "{\"a\":}",
        "{a:1}", "{\"a\":1,}", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
        "\"a\nb\"", "1 2", "'a'", "NaN", "Infinity", "// c\n1",
    ])
    func whatIsNotJSON(_ text: String) {
        #expect(throws: JSONFault.self) { try parse(text) }
    }

    /// Agrees with Foundation on everything that Foundation reads.
    @Test func likeFoundation() throws {
        let text = "{\"a\": [1, 2.5, -3e5, \"x\\u0041\\t\", null, true], \"b\": {\"c\": \"é\"}, \"\": []}"
        let found = try parse(text)
        func same(_ value: JSONValue, _ other: Any) -> Bool {
            switch value {
            case .null: return other is NSNull
            case .bool(let flag): return other as? Bool == flag
            case .integer(let number): return other as? Int == number
            case .unsigned(let number): return other as? UInt64 == number
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

    @Test func liberties() throws {
        var rules = strict
        rules.loneSurrogates = .replaced
        #expect(try parse("\"a\\ud83d b\\udc00\"", rules) == .string("a\u{FFFD} b\u{FFFD}"))
        #expect(try parse("\"\\ud83d\\ud83d\\ude00\"", rules) == .string("\u{FFFD}😀"))
        rules.allowsDuplicates = true
        #expect(try parse("{\"a\":1,\"a\":2}", rules) == .object(["a": .integer(2)]))
        rules.allowsNonFinite = true
        #expect(try parse("[Infinity,-Infinity]", rules) == .array([.number(.infinity), .number(-.infinity)]))
        #expect(throws: JSONFault.self) { try parse("{\"a\":1,\"a\":2}") }
    }

    /// Numbers at and between the limits of the integer types give a value and never trap.
    @Test func numbersNeverTrap() throws {
        var state: UInt64 = 7
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<100_000 {
            let digits = (0..<1 + next(24)).map { _ in String(next(10)) }.joined()
            let whole = digits.drop { $0 == "0" }.isEmpty ? "0" : String(digits.drop { $0 == "0" })
            let text =
                (next(2) == 0 ? "-" : "") + whole + (next(2) == 0 ? "" : ".\(next(1000))")
                + (next(3) == 0 ? "e\(next(700) - 350)" : "")
            switch try parse(text) {
            case .integer(let value): #expect(Double(value) == Double(text), "\(text)")
            case .unsigned(let value): #expect(Double(value) == Double(text), "\(text)")
            case .number(let value): #expect(value == Double(text), "\(text)")
            default: Issue.record("\(text)")
            }
        }
    }

    /// Input designed to be slow is refused at once.
    @Test func whatIsDeepOrMuch() {
        for body in [
            String(repeating: "[", count: 500_000), "[" + String(repeating: "\"\",", count: 300_000) + "1]",
            String(repeating: "{\"a\":", count: 100_000),
        ] {
            let start = ContinuousClock.now
            #expect(throws: JSONFault.self) { try parse(body) }
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }
}
