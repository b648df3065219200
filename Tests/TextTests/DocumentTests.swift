import Files
import Foundation
import Testing

@testable import Text

/// How text files become documents, for all readers.
@Suite struct DocumentTests {
    /// The documents of a plain text by definition, in memory.
    static func reference(_ file: [UInt8]) -> [[UInt8]] {
        var text: [UInt8] = []
        let bytes = file.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(file.dropFirst(3)) : file
        for (index, byte) in bytes.enumerated() {
            let isReturn = byte == 13 && index + 1 < bytes.count && bytes[index + 1] == 10
            if !isReturn { text.append(byte) }
        }
        var documents: [[UInt8]] = [[]]
        var index = 0
        while index < text.count {
            if text[index...].starts(with: DocumentMark.bytes) {
                documents.append([])
                index += DocumentMark.bytes.count
            } else {
                documents[documents.count - 1].append(text[index])
                index += 1
            }
        }
        if documents.count > 1 {
            for (index, document) in documents.enumerated() {
                let begun = index == 0 ? document[...] : document.drop { $0 == 10 }
                documents[index] = Array(begun.reversed().drop { $0 == 10 }.reversed())
            }
        }
        return documents.filter { !$0.isEmpty }
    }

    private func documents(_ source: any DocumentSource, cut: (UnsafeBufferPointer<UInt8>) -> Int) throws -> [[UInt8]] {
        var documents: [[UInt8]] = []
        var open: [UInt8] = []
        while let part = try source.next(cut: cut) {
            open += part.bytes
            guard part.endsDocument else { continue }
            documents.append(open)
            open = []
        }
        #expect(open.isEmpty)
        return documents
    }

    @Test("5,000 plain texts are those of the definition, whatever the buffer, and places are those of the file")
    func plain() throws {
        let folder = try TemporaryFolder()
        var random = Random(state: 21)
        let fragments = [
            "\n", "\r\n", "\r", "<|endoftext|>", "\n<|endoftext|>\n", "<|endoftext|", "<|", "a", "hello world", " ",
            "é",
            "日", "\u{FEFF}", "\n\n", "\r\n<|endoftext|>\r\n", "x1 y2",
        ]
        var compared = 0
        for _ in 0..<5000 {
            var text = Bool.random(using: &random) ? "" : "\u{FEFF}"
            for _ in 0..<Int.random(in: 0..<40, using: &random) {
                text += fragments.randomElement(using: &random) ?? ""
            }
            let bytes = Array(text.utf8)
            let file = try folder.file("text.txt", bytes)
            let source = try PlainDocuments(file, capacity: Int.random(in: 64..<100, using: &random))
            do {
                var found: [[UInt8]] = []
                var open: [UInt8] = []
                while let part = try source.next(cut: UTF8Bytes.lastBoundary) {
                    for (offset, byte) in part.bytes.enumerated() where byte != 10 {
                        let place = source.located(TextError(.invalidData, "", byteOffset: offset)).byteOffset ?? -1
                        #expect(bytes[place] == byte)
                    }
                    open += part.bytes
                    if part.endsDocument {
                        found.append(open)
                        open = []
                    }
                }
                #expect(found == Self.reference(bytes), "\(text.debugDescription)")
                compared += 1
            } catch {
                // A run of line ends longer than the buffer.
                #expect("\(error)".contains("without a place to cut"), "\(error)")
            }
        }
        #expect(compared > 4500)
    }

    @Test("Stories between marks end in exactly one end of text, and line ends around marks are not learnt")
    func stories() throws {
        let folder = try TemporaryFolder()
        let tokenizer = try Toy.tokenizer()
        let file = try folder.file(
            "stories.txt", "the one\r\nin\n<|endoftext|>\n\n the\n\n<|endoftext|>\n<|endoftext|>in<|endoftext|>\n")
        let data = try TokenDataset(
            sources: [file], tokenizer: tokenizer, cache: TokenCache(folder: folder.url.appendingPathComponent("cache"))
        )
        let end = try #require(tokenizer.endOfText)
        let expected =
            try tokenizer.encode("the one\nin") + [end] + tokenizer.encode(" the") + [end] + tokenizer.encode("in") + [
                end
            ]
        #expect(try data.all.window(at: 0, length: data.all.count).map { Int32($0) } == expected)
        #expect(data.all.documentStarts(length: 1).count == 3)
        #expect(data.notes == ["\(file.path): 1 line end CR LF was read as LF"])
        // The last two documents are too short for what is asked.
        #expect(data.all.documentStarts(length: data.all.count) == [0])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let file: String
        let text: String
        let documents: [String]
        var notes: [String] = []
        var testDescription: String { name }
    }

    static let table: [Case] = [
        Case(name: "a plain text is one", file: "a.txt", text: "a\nb\n", documents: ["a\nb\n"]),
        Case(
            name: "byte order mark and CR LF", file: "a.txt", text: "\u{FEFF}a\r\nb\r\n\rc\r",
            documents: ["a\nb\n\rc\r"],
            notes: ["a byte order mark was left out", "2 line ends CR LF were read as LF"]),
        Case(
            name: "JSON lines", file: "a.jsonl",
            text: "{\"text\": \"a\"}\r\n\n\"b\"\n{\"n\": [1, {\"m\": NaN}], \"text\": \"c\\n\"}",
            documents: ["a", "b", "c\n"]),
        Case(
            name: "JSON array", file: "a.json", text: "\u{FEFF} [ {\"text\": \"a\"},\n\"b\" ]\n",
            documents: ["a", "b"], notes: ["a byte order mark was left out"]),
        Case(
            name: "JSON lines under another name", file: "a.json", text: "{\"text\": \"a\"}\n{\"text\": \"b\"}\n",
            documents: ["a", "b"]),
        Case(name: "an empty array", file: "a.json", text: "[]", documents: []),
        Case(
            name: "half a surrogate pair", file: "a.jsonl", text: "{\"text\": \"a\\ud83d b\"}\n{\"text\": \"\"}",
            documents: ["a\u{FFFD} b"],
            notes: ["1 row had an unpaired surrogate, which became U+FFFD", "1 row without text was left out"]),
        Case(
            name: "marks within a row are text", file: "a.jsonl", text: "{\"text\": \"a<|endoftext|>b\"}",
            documents: ["a<|endoftext|>b"]),
        Case(
            name: "rows larger than the buffer", file: "a.json",
            text:
                "[{\"text\": \"\(String(repeating: "é", count: 60_000))\"}, {\"x\": \"\(String(repeating: "y", count: 70_000))\", \"text\": \"z\"}]",
            documents: [String(repeating: "é", count: 60_000), "z"]),
    ]

    @Test(arguments: table) func forms(row: Case) throws {
        let folder = try TemporaryFolder()
        let source = try DocumentReader.open(folder.file(row.file, row.text))
        let found = try documents(source) { $0.count }
        #expect(found == row.documents.map { Array($0.utf8) })
        #expect(source.notes.lines == row.notes)
    }

    @Test func failures() throws {
        let folder = try TemporaryFolder()
        let table: [(String, [UInt8], String)] = [
            ("a.jsonl", Array("{\"text\": \"a\"}\n{\"txt\": 1}".utf8), "line 2: an object without a 'text'"),
            ("a.jsonl", Array("{\"text\": 1}".utf8), "line 1: the 'text' is not a string"),
            ("a.jsonl", Array("[1]".utf8), "row 1: expected an object with a 'text', or a string"),
            ("a.jsonl", Array("{\"text\": \"a\tb\"}".utf8), "line 1: an unescaped control character in a string"),
            ("a.jsonl", Array("{\"text\": \"a\"} 5".utf8), "line 1: expected the end, found more after the value"),
            ("a.jsonl", Array("{\"text\": \"a".utf8) + [0xFF, 0x22, 0x7D], "invalid UTF-8 at byte 11"),
            ("a.json", Array("[\"a\" \"b\"]".utf8), "row 1: expected ',' or ']' after it"),
            ("a.json", Array("[\"a\"] x".utf8), "row 1: expected the end, found more after the array"),
            ("a.json", Array("[\"a\",".utf8), "row 2: expected a value"),
            ("a.json", Array("[\"abc".utf8), "row 1: an unterminated string"),
            ("a.json", Array(("[" + String(repeating: "[", count: 5000)).utf8), "row 1: more than 64 levels"),
            ("a.bin", [1, 0], "token ids where a text is needed"),
        ]
        for (name, bytes, expected) in table {
            let file = try folder.file(name, bytes)
            let found = message { _ = try documents(DocumentReader.open(file)) { $0.count } }
            #expect(found.contains(file.path) && found.contains(expected), "\(found)")
        }
    }

    @Test("An alphabet is that of the documents") func alphabet() throws {
        let folder = try TemporaryFolder()
        func alphabet(_ name: String, _ text: String) throws -> String {
            let made = try CharacterTokenizer(alphabetOf: folder.file(name, text))
            return String(String.UnicodeScalarView(made.alphabet))
        }
        #expect(try alphabet("a.jsonl", "{\"text\": \"b\\u0061\"}\n") == "\nab")
        #expect(try alphabet("a.txt", "\u{FEFF}ab\r\n") == "\nab")
        #expect(try alphabet("b.txt", "b<|endoftext|>a") == "\nab")
        #expect(try alphabet("c.txt", "ba") == "ab")
        let ids = try folder.file("ids.bin", [1, 0, 2, 0])
        let found = message { _ = try CharacterTokenizer(alphabetOf: ids) }
        #expect(
            found == "invalidData: \(ids.path): a .bin file holds token ids, which have no alphabet; "
                + "give characters:FILE as the tokenizer, or the text")
    }

    @Test(
        "A sample's text ends at the first end of text",
        arguments: [
            ([1, 2, 3], [1, 2, 3]), ([1, 9, 3], [1]), ([9, 1, 2, 9, 3], [1, 2]), ([9], []), ([9, 9, 1], []), ([], []),
        ] as [([Int32], [Int32])]) func samples(ids: [Int32], expected: [Int32]) throws
    {
        let tokenizer = try Toy.tokenizer()
        let end = try #require(tokenizer.endOfText)
        let found = tokenizer.sampled(ids.map { $0 == 9 ? end : $0 })
        #expect(Array(found) == expected)
        #expect(Array(ByteTokenizer().sampled(ids)) == ids)
    }

    @Test("Samples to judge: documents, or lines where nothing divides the text") func texts() throws {
        let folder = try TemporaryFolder()
        let lines = try folder.file("a.txt", "one\r\n\n  \ntwo \n")
        #expect(try DocumentReader.texts(of: lines).texts == ["one", "two "])
        let stories = try folder.file("b.txt", "one\ntwo\n<|endoftext|>\nthree\n")
        #expect(try DocumentReader.texts(of: stories).texts == ["one\ntwo", "three"])
    }
}
