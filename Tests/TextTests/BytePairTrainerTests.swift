import Foundation
import Testing

@testable import Text

/// Vocabularies against those that Hugging Face's trainer learnt (`Scripts/bpe_golden.py`).
@Suite struct BytePairTrainerTests {
    struct Golden: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        let size: Int
        let minimumFrequency: Int
        let specials: [String]
        let count: Int
        let merges: [String]
        /// Of tokenizer.json, vocab.json and merges.txt.
        let fingerprints: [String]

        var testDescription: String { name }
    }

    static let golden: [Golden] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Golden/bpe-training.json")
        guard let data = try? Data(contentsOf: file), let rows = try? JSONDecoder().decode([Golden].self, from: data)
        else { fatalError("Tests/TextTests/Golden/bpe-training.json cannot be read") }
        return rows
    }()

    private static func fingerprint(_ bytes: [UInt8]) -> String {
        var fingerprint = Fingerprint()
        fingerprint.combine(bytes)
        return fingerprint.text
    }

    @Test("Tokens, merges and files are theirs, byte for byte", arguments: golden)
    func equal(golden: Golden) throws {
        let trainer = try BytePairTrainer(
            size: golden.size, minimumFrequency: golden.minimumFrequency, specials: golden.specials)
        let learnt = try trainer.train(texts: [golden.text])
        #expect(learnt.count == golden.count)
        let merges = learnt.merges.map { pair in
            String(decoding: learnt.tokens[Int(pair.left)] + [0x20] + learnt.tokens[Int(pair.right)], as: UTF8.self)
        }
        #expect(merges == golden.merges)
        let files = [learnt.tokenizerJSON(), learnt.vocabularyJSON(), learnt.mergesText()]
        #expect(files.map(Self.fingerprint) == golden.fingerprints)
    }

    @Test("What is written is read again, and encodes by the merges") func roundTrip() throws {
        let folder = try TemporaryFolder()
        var random = Random(state: 5)
        let text = (0..<200).map { _ in
            ["the", " cat", "'s", " sat", "\n", " 12", " мир", "é"].randomElement(using: &random) ?? ""
        }.joined()
        let file = try folder.file("text.txt", text)
        let learnt = try BytePairTrainer(size: 300, specials: ["<|endoftext|>"]).train(files: [file])
        try learnt.write(to: folder.url.appendingPathComponent("made"))
        let tokenizer = try BytePairTokenizer(folder: folder.url.appendingPathComponent("made"))
        #expect(tokenizer.vocabularySize == learnt.count)
        #expect(tokenizer.endOfText == 0)
        let ids = try tokenizer.encode(text)
        #expect(try tokenizer.text(of: ids) == text)
        #expect(ids.count < text.utf8.count / 2)
        #expect(ids.contains { $0 >= 257 })
    }

    @Test("A file is one string, wherever it is cut in reading, and files are strings of their own")
    func files() throws {
        let folder = try TemporaryFolder()
        var random = Random(state: 9)
        // Longer than the reader's buffer, so that it is cut.
        var text = ""
        while text.utf8.count < 5 << 19 { text += random.text(2000) }
        let half = text.index(text.startIndex, offsetBy: text.count / 2)
        let parts = [String(text[..<half]), String(text[half...])]
        let files = try parts.enumerated().map { try folder.file("\($0).txt", $1) }
        let trainer = try BytePairTrainer(size: 700)
        let expected = try trainer.train(texts: parts)
        let found = try trainer.train(files: files)
        #expect(found.merges == expected.merges)
        #expect(found.tokens == expected.tokens)
    }

    @Test("A vocabulary ends where no pair is left") func exhausted() throws {
        let learnt = try BytePairTrainer(size: 1000).train(texts: ["abab abab", "x"])
        #expect(learnt.count == 256 + 2)
        let nothing = try BytePairTrainer(size: 1000).train(texts: [""])
        #expect(nothing.count == 256 && nothing.mergeCount == 0)
    }

    @Test func refusals() {
        let table: [(() throws -> Void, String)] = [
            (
                { _ = try BytePairTrainer(size: 256, specials: ["<|endoftext|>"]) },
                "usage: the vocabulary size is 256; choose 257 (256 bytes and 1 special) to 1048575"
            ),
            (
                { _ = try BytePairTrainer(size: .max) },
                "usage: the vocabulary size is \(Int.max); choose 256 (256 bytes and 0 special) to 1048575"
            ),
            (
                { _ = try BytePairTrainer(size: 300, minimumFrequency: -1) },
                "usage: the minimum frequency is -1; choose 0 or more"
            ),
            (
                { _ = try BytePairTrainer(size: 300, specials: [""]) },
                "usage: an empty special token; give its text, such as '<|endoftext|>'"
            ),
            (
                { _ = try BytePairTrainer(size: 300, specials: ["é"]) },
                "usage: the special token 'é' would be read as the bytes [233] in a byte-level vocabulary; "
                    + "write it in ASCII, such as '<|endoftext|>'"
            ),
            (
                { _ = try BytePairTrainer(size: 300).train(files: []) },
                "usage: no data; name one or more text files"
            ),
        ]
        for (body, expected) in table { #expect(message(body) == expected) }
    }
}
