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
            // The text has the letters of an end of text, which divide it, and line ends that are read as one.
            let documents = try DocumentTests.reference(Array(text.utf8)).map { try tokenizer.encode(utf8: $0) }
            let end = try tokenizer.endOfText.map { [$0] } ?? tokenizer.encode("\n")
            var expected: [Int32] = []
            for (index, document) in documents.enumerated() {
                #expect(file.documentStarts[index] == expected.count)
                expected += document + (tokenizer.endOfText == nil && document.last == end[0] ? [] : end)
            }
            #expect(file.documentStarts.count == documents.count)
            #expect(try file.ids(0..<file.count) == expected)
            #expect(try file.ids(17..<23) == Array(expected[17..<23]))
            #expect(file.vocabularySize == tokenizer.vocabularySize && file.fingerprint == tokenizer.fingerprint)
            #expect(
                try Data(contentsOf: target).count == 128 + width * expected.count + 8 * documents.count)
        }
        #expect(TokenFileHeader.width(forVocabularySize: 256) == 1)
        #expect(TokenFileHeader.width(forVocabularySize: 65536) == 2)
        #expect(TokenFileHeader.width(forVocabularySize: 65537) == 4)
    }

    @Test("Four bytes per id, little-endian")
    func wide() throws {
        let folder = try TemporaryFolder()
        let header = TokenFileHeader(count: 2, vocabularySize: 70000, fingerprint: "0123456789abcdef")
        let file = try TokenFile(folder.file("wide", header.bytes + [0x6F, 0x11, 1, 0, 2, 0, 0, 0]))
        #expect(try file.ids(0..<2) == [69999, 2])
    }

    @Test("Malformed files are refused")
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
            ([], "empty file; give a file with tokens"),
            (Array("hello".utf8), "not a token file"),
            (Array(good.prefix(40)), "truncated token file: 40 bytes, and the header alone has at least 64"),
            (Array(good.prefix(100)), "truncated token file: 100 bytes, and the header alone has 128"),
            (Array(good.dropLast()), "the header says 3 ids of 1 bytes and 0 documents of 8, but 2 bytes follow it"),
            (good + [4], "the header says 3 ids of 1 bytes and 0 documents of 8, but 4 bytes follow it"),
            (with(8, [9]), "token file of version 9; expected 2"),
            (with(48, full), "impossible counts in the header"),
            (with(48, [4]), "impossible counts in the header"),
            (with(48, [1]) + [3, 0, 0, 0, 0, 0, 0, 0], "document 0 begins at token 3, which is not after"),
            (
                with(48, [2]) + [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
                "document 1 begins at token 1, which is not after"
            ),
            (with(12, [3]), "3 bytes per id; expected 1, 2 or 4"),
            (with(16, full), "impossible counts in the header"),
            (
                with(16, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
                "the header says 9223372036854775807 ids of 1 bytes"
            ),
            (with(24, full), "impossible counts in the header"),
            (with(24, [0, 0]), "impossible counts in the header"),
            (Array(with(16, [0]).prefix(128)), "no tokens; build it from a text that has some"),
        ]
        for (index, (bytes, expected)) in table.enumerated() {
            let file = try folder.file("hostile-\(index)", bytes)
            let found = message { _ = try TokenFile(file) }
            #expect(found.hasPrefix("invalidData: \(file.path): \(expected)"), "\(found)")
        }
        let outside = try TokenFile(folder.file("outside", with(129, [250])))
        #expect(try outside.ids(0..<1) == [1])
        #expect(
            message { _ = try outside.ids(0..<3) }.hasPrefix(
                "invalidData: \(outside.path): token 1 is 250, and the vocabulary has 200"))
        #expect(message { _ = try outside.ids(2..<4) }.hasPrefix("usage: \(outside.path): tokens 2..<4 of 3"))
        #expect(message { _ = try outside.ids(.min ..< .max) }.hasPrefix("usage: "))
    }

    @Test("A file of version 1 has no documents")
    func firstVersion() throws {
        let folder = try TemporaryFolder()
        var bytes = Array(
            TokenFileHeader(count: 3, vocabularySize: 200, fingerprint: "0123456789abcdef").bytes.prefix(64))
        bytes[8] = 1
        let file = try TokenFile(folder.file("old", bytes + [1, 2, 3]))
        #expect(try file.ids(0..<3) == [1, 2, 3])
        #expect(file.documentStarts.isEmpty && file.notes == TextNotes())
    }

    @Test("A file that is cut short while it is open is an error")
    func cutShort() throws {
        let folder = try TemporaryFolder()
        let url = try folder.file("a.bin", [UInt8](repeating: 0, count: 1 << 16))
        let file = try BinaryTokenFile.open(url, tokenizer: ByteTokenizer())
        #expect(try file.ids(32000..<32002) == [0, 0])
        try FileHandle(forWritingTo: url).truncate(atOffset: 100)
        let found = message { _ = try file.ids(32000..<32002) }
        #expect(
            found.hasPrefix("invalidData: \(url.path): truncated while it was read (no byte"), "\(found)")
    }

    private func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    private func llmc(_ magic: UInt32, _ version: UInt32, _ count: UInt32, _ ids: [UInt8]) -> [UInt8] {
        number(magic) + number(version) + number(count) + [UInt8](repeating: 0, count: 1012) + ids
    }

    @Test("Token files of nanoGPT and llm.c")
    func foreign() throws {
        let folder = try TemporaryFolder()
        let tokenizer = try Toy.tokenizer()
        let end = try #require(tokenizer.endOfText)
        let marked: [UInt8] = [1, 0, UInt8(end & 0xFF), 1, 3, 0, 4, 0]
        let files = [
            try folder.file("nano.bin", marked), try folder.file("c.bin", llmc(20_240_520, 1, 4, marked)),
            try folder.file(
                "llama.bin", llmc(20_240_801, 7, 4, [1, 0, 0, 0, UInt8(end & 0xFF), 1, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0])),
        ]
        for url in files {
            let file = try BinaryTokenFile.open(url, tokenizer: tokenizer).checked(endOfText: end)
            #expect(try file.ids(0..<file.count) == [1, end, 3, 4])
            #expect(file.documentStarts == [0, 2], "\(url.path)")
        }
    }

    @Test("Binary files of another kind are refused by name")
    func otherBinaries() throws {
        let folder = try TemporaryFolder()
        let toy = try Toy.tokenizer()
        let table: [([UInt8], String)] = [
            ([1, 0, 4], "3 bytes, an odd number, cannot be 16-bit token ids"),
            ([], "empty file"),
            (llmc(20_240_520, 2, 1, [1, 0]), "tokens of llm.c (20240520): version 2; expected 1"),
            (
                llmc(20_240_520, 1, 2, [1, 0]),
                "tokens of llm.c (20240520): the header says 2 ids of 2 bytes, but 2 bytes"
            ),
            (llmc(20_240_520, 1, 0, []), "tokens of llm.c (20240520): the header says 0 ids"),
            (Array(llmc(20_240_520, 1, 1, []).prefix(40)), "tokens of llm.c (20240520): the header is cut short"),
            (number(20_240_326) + [0, 0], "not token ids but a model of llm.c"),
            (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "not token ids but a Git LFS pointer"),
            ([0x93] + Array("NUMPY\u{1}\u{0}".utf8), "not token ids but a NumPy array"),
            (Array("PK\u{3}\u{4}..".utf8), "not token ids but a zip archive"),
            ((0..<32).flatMap { number($0) }, "every second 16-bit id is 0, as in a file of ids of 32 or 64 bits"),
            (
                (0..<16).flatMap { number($0) + number(0) },
                "every second 16-bit id is 0, as in a file of ids of 32 or 64 bits"
            ),
        ]
        for (index, (bytes, expected)) in table.enumerated() {
            let file = try folder.file("bad-\(index).bin", bytes)
            let found = message { _ = try BinaryTokenFile.open(file, tokenizer: toy) }
            #expect(found.hasPrefix("invalidData: \(file.path): \(expected)"), "\(found)")
        }
        let outside = try folder.file("outside.bin", [1, 0, 4, 1, 0, 2])
        let found = message { _ = try BinaryTokenFile.open(outside, tokenizer: toy).checked(endOfText: toy.endOfText) }
        #expect(found.contains("token 2 is 512, and the vocabulary has 272"), "\(found)")
        let other = folder.url.appendingPathComponent("other.bin")
        try TokenFileBuilder(tokenizer: ByteTokenizer()).build(from: folder.file("t.txt", "text"), to: other)
        #expect(try BinaryTokenFile.open(other, tokenizer: ByteTokenizer()).count == 4)
        #expect(message { _ = try BinaryTokenFile.open(other, tokenizer: toy) }.contains("made by another tokenizer"))
    }
}
