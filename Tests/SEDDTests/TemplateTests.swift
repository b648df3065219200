import Files
import Testing
import Text

@testable import SEDD

struct TemplateTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let template: String
        var length: Int?
        /// `_` is a free position.
        let expected: String
        var testDescription: String { template + (length.map { " at \($0)" } ?? "") }
    }

    @Test(arguments: [
        Case(template: "ab[[3]]c", expected: "ab___c"),
        Case(template: "[[2]]a", expected: "__a"),
        Case(template: "a[[*]]b", length: 6, expected: "a____b"),
        Case(template: "a[[*]]b[[*]]", length: 7, expected: "a___b__"),
        Case(template: "a[[*]]", expected: "a_______"),
        Case(template: "abc", expected: "abc_____"),
        Case(template: "abc", length: 4, expected: "abc_"),
        Case(template: "abc", length: 3, expected: "abc"),
        Case(template: "", length: 2, expected: "__"),
        Case(template: "a\\[[1]]b", length: 7, expected: "a[[1]]b"),
        Case(template: "[[1]]\\[[", length: 3, expected: "_[["),
        Case(template: "a[[2]]b", length: 6, expected: "a__b__"),
        Case(template: "a]]b[[1]]", expected: "a]]b_"),
        Case(template: "[x][", length: 4, expected: "[x]["),
    ])
    func positions(_ item: Case) throws {
        let found = try Template(item.template).positions(
            tokenizer: ByteTokenizer(), length: item.length, modelLength: 8)
        let shown = found.map { $0.map { String(UnicodeScalar(UInt8($0))) } ?? "_" }.joined()
        #expect(shown == item.expected)
    }

    @Test(arguments: ["a[[b", "[[0]]", "[[-1]]", "[[x]]", "[[]]", "[[1.5]]", "[[99999999999999999999]]"])
    func holesThatMakeNoSense(_ source: String) {
        let error = #expect(throws: SEDDError.self) { try Template(source) }
        #expect(error?.kind == .usage)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func longerThanTheLength() throws {
        let error = #expect(throws: SEDDError.self) {
            try Template("abcd[[4]]").positions(tokenizer: ByteTokenizer(), length: 7, modelLength: 8)
        }
        #expect(error?.description == "template: it takes 8 tokens but the length is 7; shorten it or raise the length")
    }
}
