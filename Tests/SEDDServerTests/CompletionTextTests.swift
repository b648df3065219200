import Testing

@testable import SEDDServer

struct CompletionTextTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let bytes: [UInt8]
        let isWhole: Bool
        let stops: [String]
        let text: String
        let reason: String?
        var testDescription: String { "\(bytes) \(isWhole ? "whole" : "so far"), stops \(stops)" }
    }

    @Test(arguments: [
        Case(bytes: Array("one two".utf8), isWhole: true, stops: [], text: "one two", reason: "length"),
        Case(bytes: Array("one two".utf8), isWhole: false, stops: [], text: "one two", reason: nil),
        Case(bytes: Array("one two".utf8), isWhole: true, stops: [" t"], text: "one", reason: "stop"),
        Case(bytes: Array("one two".utf8), isWhole: false, stops: ["two three"], text: "one ", reason: nil),
        Case(bytes: Array("one two".utf8), isWhole: true, stops: ["two three"], text: "one two", reason: "length"),
        Case(bytes: Array("a b c".utf8), isWhole: false, stops: ["c", "b"], text: "a ", reason: "stop"),
        Case(bytes: Array("é".utf8), isWhole: true, stops: [], text: "é", reason: "length"),
        Case(bytes: Array("a😀".utf8.dropLast()), isWhole: false, stops: [], text: "a", reason: nil),
        Case(bytes: Array("a😀".utf8.dropLast()), isWhole: true, stops: [], text: "a\u{FFFD}", reason: "length"),
        Case(bytes: [0x61, 0x80], isWhole: false, stops: [], text: "a\u{FFFD}", reason: nil),
        // A later combining mark changes the character before it, but not its bytes.
        Case(bytes: Array("e\u{301}".utf8), isWhole: false, stops: ["e"], text: "", reason: "stop"),
        Case(bytes: [], isWhole: false, stops: ["x"], text: "", reason: nil),
    ])
    func cases(_ given: Case) {
        let found = CompletionText(given.bytes, isWhole: given.isWhole, stops: given.stops)
        #expect(found.text == given.text)
        #expect(found.finishReason == given.reason)
    }

    // Text after an end of text is dropped, and an earlier stop sequence takes precedence.
    @Test func anEndOfTextIsAStop() {
        let ended = CompletionText(Array("one".utf8), isWhole: false, isEnded: true, stops: ["one two"])
        #expect(ended.text == "one" && ended.finishReason == "stop")
        let stopped = CompletionText(Array("one".utf8), isWhole: true, isEnded: true, stops: ["n"])
        #expect(stopped.text == "o" && stopped.finishReason == "stop")
    }

    /// Text sent at any moment is a prefix of text sent later, byte by byte.
    @Test func whatIsToldStays() {
        let whole = Array("naïve café 😀 stop here, e\u{301} STOP".utf8)
        for stops in [[], ["STOP"], ["here, e", "zz"], ["é"]] {
            var last: [UInt8] = []
            for count in 0...whole.count {
                let found = CompletionText(Array(whole.prefix(count)), isWhole: count == whole.count, stops: stops)
                let bytes = Array(found.text.utf8)
                #expect(bytes.starts(with: last), "\(stops), \(count) bytes")
                last = bytes
                if found.finishReason != nil { break }
            }
        }
    }
}
