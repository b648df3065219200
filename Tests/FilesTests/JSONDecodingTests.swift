import Foundation
import Testing

@testable import Files

struct JSONDecodingTests {
    private struct Inner: Codable, Equatable {
        var names: [String]
        var sizes: [Int?]
        var share: Double?
    }

    private struct Outer: Codable, Equatable {
        var id: UInt64
        var small: Int8
        var flag: Bool
        var inner: Inner
        var table: [String: Inner]
        var ratio: Float
    }

    /// Decodes what Foundation writes.
    @Test func likeFoundation() throws {
        let inner = Inner(names: ["a", "é\n😀"], sizes: [1, nil, -3], share: 0.25)
        let value = Outer(
            id: .max, small: -128, flag: true, inner: inner, table: ["x": inner, "": Inner(names: [], sizes: [])],
            ratio: 1e-3)
        let data = try JSONEncoder().encode(value)
        #expect(try JSON.decode(Outer.self, from: [UInt8](data), source: "test") == value)
        #expect(try JSON.decode([Outer].self, from: [UInt8]("[]".utf8), source: "test") == [])
        #expect(try JSON.decode([Int?].self, from: [UInt8]("[1,null,3]".utf8), source: "test") == [1, nil, 3])
    }

    @Test(arguments: [
        ("{\"names\":[\"a\"]}", "sizes is missing; add it"),
        ("{\"names\":[1],\"sizes\":[]}", "names.0 has the wrong type; expected a string"),
        ("{\"names\":{},\"sizes\":[]}", "names has the wrong type; expected a list"),
        ("{\"names\":[],\"sizes\":[1.5]}", "sizes.0 has the wrong type; expected a whole number"),
        (
            "{\"names\":[],\"sizes\":[18446744073709551615]}",
            "sizes.0: found 18446744073709551615; expected a whole number"
        ),
        ("{\"names\":[],\"sizes\":[],\"share\":\"x\"}", "share has the wrong type; expected a number"),
        ("[]", "the file has the wrong type; expected an object"),
        ("{\"names\":", "not valid JSON: expected a value, found the end at byte 9"),
        ("", "not valid JSON: expected a value, found the end at byte 0"),
    ])
    func messages(_ text: String, _ expected: String) {
        #expect {
            try JSON.decode(Inner.self, from: Array(text.utf8), source: "config.json")
        } throws: { error in
            "\(error)".hasPrefix("config.json: ") && "\(error)".contains(expected)
        }
    }

    @Test func invalidUTF8() {
        #expect {
            try JSON.decode(Inner.self, from: [0x22, 0xFF, 0x22], source: "x")
        } throws: {
            "\($0)".contains("invalid UTF-8 at byte 1")
        }
    }
}
