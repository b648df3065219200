import Foundation
import Testing

@testable import Text

@Suite struct TokenFileTests {
    @Test("Ids come back at every width")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        var random = Random(state: 5)
        let text = (0..<100).reduce(into: "") { text, _ in text += random.text(40) }
        let source = try folder.file("text.txt", text)
        for (tokenizer, width) in [
            (ByteTokenizer(), 1), (try CharacterTokenizer(alphabetOf: text), 2), (try Toy.tokenizer(), 2),
        ]
            as [(any Tokenizer, Int)]
        {
            let target = folder.url.appendingPathComponent("\(tokenizer.kind).tokens")
            try TokenFileBuilder(tokenizer: tokenizer).build(from: source, to: target)
            let file = try TokenFile(target)
            let expected = try tokenizer.encode(text)
            #expect(try file.ids(0..<file.count) == expected)
            #expect(try file.ids(17..<23) == Array(expected[17..<23]))
            #expect(file.vocabularySize == tokenizer.vocabularySize && file.fingerprint == tokenizer.fingerprint)
            #expect(try Data(contentsOf: target).count == 64 + width * expected.count)
        }
        #expect(TokenFileHeader.width(forVocabularySize: 256) == 1)
        #expect(TokenFileHeader.width(forVocabularySize: 65536) == 2)
        #expect(TokenFileHeader.width(forVocabularySize: 65537) == 4)
    }

    @Test("Four bytes an id, little-endian")
    func wide() throws {
        let folder = try TemporaryFolder()
        let header = TokenFileHeader(count: 2, vocabularySize: 70000, fingerprint: "0123456789abcdef")
        let file = try TokenFile(folder.file("wide", header.bytes + [0x6F, 0x11, 1, 0, 2, 0, 0, 0]))
        #expect(try file.ids(0..<2) == [69999, 2])
    }

    @Test("Files that are not what they should be are refused")
    func hostile() throws {
        let folder = try TemporaryFolder()
        let good = TokenFileHeader(count: 3, vocabularySize: 200, fingerprint: "0123456789abcdef").bytes + [1, 2, 3]
        func with(_ offset: Int, _ bytes: [UInt8]) -> [UInt8] {
            var changed = good
            changed.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
            return changed
        }
        let full = [UInt8](repeating: 0xFF, count: 8)
        let table: [([UInt8], String)] = [
            ([], "empty file; give a file that holds something"),
            (Array("hello".utf8), "not a token file"),
            (Array(good.prefix(40)), "truncated token file: 40 bytes, and the header alone has 64"),
            (Array(good.dropLast()), "the header says 3 ids of 1 bytes, but 2 bytes follow it"),
            (good + [4], "the header says 3 ids of 1 bytes, but 4 bytes follow it"),
            (with(8, [9]), "token file of version 9; expected 1"),
            (with(12, [3]), "3 bytes an id; expected 1, 2 or 4"),
            (with(16, full), "impossible counts in the header"),
            (
                with(16, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
                "the header says 9223372036854775807 ids of 1 bytes"
            ),
            (with(24, full), "impossible counts in the header"),
            (with(24, [0, 0]), "impossible counts in the header"),
            (Array(with(16, [0]).prefix(64)), "no tokens; build it from a text that has some"),
        ]
        for (index, (bytes, expected)) in table.enumerated() {
            let file = try folder.file("hostile-\(index)", bytes)
            let found = message { _ = try TokenFile(file) }
            #expect(found.hasPrefix("invalidData: \(file.path): \(expected)"), "\(found)")
        }
        let outside = try TokenFile(folder.file("outside", with(65, [250])))
        #expect(try outside.ids(0..<1) == [1])
        #expect(
            message { _ = try outside.ids(0..<3) }.hasPrefix(
                "invalidData: \(outside.path): token 1 is 250, and the vocabulary has 200"))
        #expect(message { _ = try outside.ids(2..<4) }.hasPrefix("usage: \(outside.path): tokens 2..<4 of 3"))
        #expect(message { _ = try outside.ids(.min ..< .max) }.hasPrefix("usage: "))
    }

    @Test("Raw 16-bit files are read as they are")
    func raw() throws {
        let folder = try TemporaryFolder()
        let tokenizer = try Toy.tokenizer()
        let file = try TokenFile(binary: folder.file("a.bin", [1, 0, 4, 1, 0, 2]), tokenizer: tokenizer)
        #expect(file.count == 3)
        #expect(try file.ids(0..<2) == [1, 260])
        #expect(message { _ = try file.ids(0..<3) }.contains("token 2 is 512, and the vocabulary has 272"))
        let odd = try folder.file("odd.bin", [1, 0, 4])
        #expect(
            message { _ = try TokenFile(binary: odd, tokenizer: tokenizer) }.hasPrefix(
                "invalidData: \(odd.path): 3 bytes, an odd number, are no 16-bit token ids"))
        let other = folder.url.appendingPathComponent("other.bin")
        try TokenFileBuilder(tokenizer: ByteTokenizer()).build(from: folder.file("t.txt", "text"), to: other)
        #expect(try TokenFile(binary: other, tokenizer: ByteTokenizer()).count == 4)
        #expect(
            message { _ = try TokenFile(binary: other, tokenizer: tokenizer) }.contains("made by another tokenizer"))
    }
}
