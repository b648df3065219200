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
        Case(template: "\\[[[2]]", length: 3, expected: "[__"),
        Case(template: "\\[\\[[[2]]", length: 4, expected: "[[__"),
        Case(template: "\\\\[[2]]", length: 3, expected: "\\__"),
        Case(template: "\\\\\\[[2]]", length: 6, expected: "\\[[2]]"),
        Case(template: "a\\\\b\\[[1]]\\", length: 10, expected: "a\\\\b[[1]]\\"),
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
        #expect(error?.description == "template: 8 tokens exceed the length of 7; shorten it or raise the length")
        for length in [1 << 21, .max] {
            let error = #expect(throws: SEDDError.self) {
                try Template("a[[*]]").positions(tokenizer: ByteTokenizer(), length: length, modelLength: 8)
            }
            #expect(error?.description.contains("a length of \(length) tokens; expected at most 1048576") == true)
        }
    }

    // The end of text has a notation of its own: its letters within a text are ordinary letters.
    @Test func theEndOfText() throws {
        let folder = try TemporaryFolder()
        let learnt = try BytePairTrainer(size: 257, specials: ["<|endoftext|>"]).train(texts: ["ab"])
        try learnt.write(to: folder.url)
        let tokenizer = try BytePairTokenizer(json: folder.url)
        func positions(_ template: String) throws -> [Int?] {
            try Template(template).positions(tokenizer: tokenizer, length: nil, modelLength: 4)
        }
        let a = try #require(tokenizer.encode("a").first.map { Int($0) })
        #expect(try positions("[[end]]a[[1]]") == [0, a, nil])
        #expect(try positions("a[[*]][[end]]") == [a, nil, nil, 0])
        #expect(try positions("[[end]]") == [0, nil, nil, nil])
        let letters = try Template("<|endoftext|>").positions(tokenizer: tokenizer, length: 13, modelLength: 4)
        #expect(!letters.contains(0) && letters.count == 13)
        let error = #expect(throws: SEDDError.self) {
            try Template("[[end]]").positions(tokenizer: ByteTokenizer(), length: nil, modelLength: 4)
        }
        #expect(
            error?.description == "template: [[end]], but the tokenizer 'byte' has no end of text; leave it out")
    }
}
