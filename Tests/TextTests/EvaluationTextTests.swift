import Foundation
import Testing

@testable import Text

@Suite struct EvaluationTextTests {
    private func text(_ specification: String, _ tokenizer: any Tokenizer, lastShare: Double = 1) throws
        -> EvaluationText
    {
        let folder = try TemporaryFolder()
        return try EvaluationText(
            DataSpecification(specification), tokenizer: tokenizer, lastShare: lastShare,
            cache: TokenCache(folder: folder.url))
    }

    private func decoded(_ text: EvaluationText, _ tokenizer: any Tokenizer) throws -> String {
        try tokenizer.text(of: text.block(0, length: text.count).map { Int32($0) })
    }

    @Test(arguments: [
        ("wikitext2", "raw", " = Sea = \n \n the bird 's song \n", " = Sea =\n\n the bird's song\n"),
        ("ptb", "txt", " wo n't \n pay \n", "won't\npay\n"),
        ("lm1b", "tokens", "It is .\r\nSo \n", "It is.\nSo\n"),
        ("lambada", "jsonl", "{\"text\": \" “a” b \"}\n\n{\"text\": \"c\"}", "\n\"a\" b\n\nc\n"),
        ("text8", "txt", "anarchism is\n", "anarchism is"),
    ]) func rowsOfBytes(name: String, ending: String, source: String, expected: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("data.\(ending)", source)
        let made = try text("\(name):\(file.path)", ByteTokenizer())
        // A byte model has no end of text: a line end represents it.
        #expect(try decoded(made, ByteTokenizer()) == expected)
        #expect(made.count == expected.utf8.count)
        #expect(made.bytes(of: try made.block(0, length: made.count)) == expected.utf8.count)
    }

    @Test func anEndOfTextFollowsEachRow() throws {
        let folder = try TemporaryFolder()
        let tokenizer = try Toy.tokenizer()
        let end = Int(try #require(tokenizer.endOfText))
        let file = try folder.file("data.jsonl", "{\"text\": \"the\"}\n{\"text\": \"\"}\n{\"text\": \"in\"}\n")
        let made = try text(file.path, tokenizer)
        let ids = try made.block(0, length: made.count)
        let expected = try tokenizer.encode("the").map { Int($0) } + [end]
        #expect(ids == expected + (try tokenizer.encode("in").map { Int($0) }) + [end])
        #expect(made.rows == 2)
        #expect(made.bytes(of: ids) == 3 + 1 + 2 + 1)
        #expect(made.notes == ["\(file.path): 1 row without text was left out"])
    }

    // 300 sentences of ten tokens: concatenated before they are cut, they yield 23 blocks of 128.
    @Test func theSplitIsJoinedBeforeItIsCut() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("data.txt", String(repeating: "abcdefghi\n", count: 300))
        let made = try text("ptb:\(file.path)", ByteTokenizer())
        #expect(made.count == 3000)
        #expect(try made.block(22, length: 128).count == 128)
        #expect(try made.block(1, length: 10) == made.block(2, length: 10))
        let failure = message { _ = try made.block(23, length: 128) }
        #expect(failure.hasPrefix("usage: ptb:") && failure.contains("block 23 of 23"), "\(failure)")
    }

    @Test func theLastShareOfAPlainFile() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("data.txt", "aaaaaaaabb")
        #expect(try decoded(text(file.path, ByteTokenizer(), lastShare: 0.2), ByteTokenizer()) == "bb")
        let rows = try folder.file("data.jsonl", "{\"text\": \"aaaabb\"}\n")
        #expect(try decoded(text(rows.path, ByteTokenizer(), lastShare: 0.5), ByteTokenizer()) == "bb\n")
    }

    // Training holds out the end of the last files, and evaluation measures the same part.
    @Test func theLastShareOfSeveralFiles() throws {
        let folder = try TemporaryFolder()
        let files = [try folder.file("one.txt", "aaaaaaaabb"), try folder.file("two.txt", "cccccccccd")]
        let made = try EvaluationText(
            files.map { try DataSpecification($0.path) }, tokenizer: ByteTokenizer(), lastShare: 0.25,
            cache: TokenCache(folder: folder.url))
        #expect(try decoded(made, ByteTokenizer()) == "ccccd")
        #expect(made.specification.description == files.map(\.path).joined(separator: " "))
        let mixed = message {
            _ = try EvaluationText(
                [try DataSpecification(files[0].path), try DataSpecification("ptb:\(files[1].path)")],
                tokenizer: ByteTokenizer())
        }
        #expect(mixed.hasPrefix("usage: a named corpus among several data sets"), "\(mixed)")
    }

    @Test func theLastFiveMillionOfText8() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file(
            "text8", Array(repeating: 97, count: 95_000_000) + Array(repeating: 98, count: 5_000_000))
        let made = try text("text8:\(file.path)", ByteTokenizer())
        #expect(made.count == 5_000_000)
        #expect(try Set(made.block(0, length: 1000)) == [98])
    }

    @Test func badInput() throws {
        let folder = try TemporaryFolder()
        let plain = try folder.file("a.txt", "abc")
        let jsonl = try folder.file("a.jsonl", "{\"text\": \"a\"}\n{\"txt\": \"b\"}\n")
        let broken = try folder.file("b.txt", [97, 0xFF, 98])
        let rows: [(String, [String])] = [
            ("wikitex2:\(plain.path)", ["usage", "wikitex2", "did you mean 'wikitext2:'"]),
            ("lm1b:", ["usage", "lm1b:FILE"]),
            ("ptb:\(folder.url.path)/none", ["missingInput", "no such file"]),
            (jsonl.path, ["invalidData", "line 2", "'text'"]),
            ("ptb:\(broken.path)", ["invalidData", "invalid UTF-8 at byte 1"]),
            ("text8:\(broken.path)", ["invalidData"]),
        ]
        for (data, words) in rows {
            let found = message { _ = try text(data, ByteTokenizer()) }
            for word in words { #expect(found.contains(word), "\(data): \(found)") }
        }
        let short = message { try text(plain.path, ByteTokenizer()).requireBlock(of: 8) }
        #expect(short.contains("3 tokens are too few for one block of 8"), "\(short)")
        let alphabet = try CharacterTokenizer(alphabetOf: "ab\n")
        let outside = message { _ = try text("ptb:\(plain.path)", alphabet) }
        #expect(outside.contains("row 1") && outside.contains("'c'"), "\(outside)")
    }

    // A file whose name has a colon is a file.
    @Test func colonsInNames() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("ab:c.txt", "abc")
        #expect(try DataSpecification(file.path).name == nil)
        #expect(try DataSpecification("dir/x:y").name == nil)
        #expect(try DataSpecification("ptb:\(file.path)").file.path == file.path)
    }
}
