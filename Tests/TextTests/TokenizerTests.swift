import Foundation
import Testing

@testable import Text

@Suite struct TokenizerTests {
    static func tokenizers() throws -> [any Tokenizer] {
        var random = Random(state: 1)
        // Cuts do not depend on the alphabet, but encoding does: every text below uses the same characters.
        let alphabet = (0..<200).reduce(into: "") { text, _ in text += random.text(60) }
        var all: [any Tokenizer] = [ByteTokenizer(), try CharacterTokenizer(alphabetOf: alphabet), try Toy.tokenizer()]
        if Shared.isPresent { all.append(try Shared.gpt2.get()) }
        return all
    }

    @Test("Ids always decode to the very bytes")
    func roundTrip() throws {
        for tokenizer in try Self.tokenizers() {
            var random = Random(state: 1)
            for _ in 0..<200 {
                let text = random.text(60)
                let ids = try tokenizer.encode(text)
                #expect(try tokenizer.decode(ids) == Array(text.utf8))
                #expect(try ids.flatMap { try tokenizer.bytes(of: $0) } == Array(text.utf8))
                #expect(ids.allSatisfy { $0 >= 0 && $0 < tokenizer.vocabularySize })
            }
            #expect(try tokenizer.encode("") == [])
        }
    }

    @Test("Parts cut where it is safe give the ids of the whole")
    func safeCut() throws {
        for tokenizer in try Self.tokenizers() {
            var random = Random(state: 1)
            var cuts = Random(state: 2)
            for _ in 0..<200 {
                let bytes = Array(random.text(60).utf8)
                var ids: [Int32] = []
                var rest = bytes[...]
                var window = 1
                while !rest.isEmpty {
                    window = min(window + Int.random(in: 0..<40, using: &cuts), rest.count)
                    let head = Array(rest.prefix(window))
                    // The last part is taken whole, as at the end of a file.
                    let cut = window == rest.count ? window : head.withUnsafeBufferPointer { tokenizer.safeCut(in: $0) }
                    ids += try tokenizer.encode(utf8: Array(rest.prefix(cut)))
                    rest = rest.dropFirst(cut)
                    if cut > 0 { window = 1 } else { window += 1 }
                }
                #expect(try ids == tokenizer.encode(utf8: bytes), "\(tokenizer.kind)")
            }
        }
    }

    @Test(
        "Where GPT-2's text may be cut",
        arguments: [
            ("", 0), ("word", 0), ("two words", 3), ("two words ", 9), ("two  ", 3), ("x 12", 1), ("ab12", 2),
            ("it's", 2), ("'s", 0), ("a. b", 2), ("   ", 0), ("a é", 1), ("é日1", 5), ("!x", 1), (".'s", 0),
        ])
    func bytePairCut(text: String, expected: Int) throws {
        let tokenizer = try Toy.tokenizer()
        #expect(Array(text.utf8).withUnsafeBufferPointer { tokenizer.safeCut(in: $0) } == expected, "\(text)")
    }

    @Test("A character's id is its place in the sorted alphabet")
    func characters() throws {
        let tokenizer = try CharacterTokenizer(alphabetOf: "hello é\n𝄞")
        #expect(String(String.UnicodeScalarView(tokenizer.alphabet)) == "\n ehloé𝄞")
        #expect(try tokenizer.encode("hé𝄞") == [3, 6, 7])
        #expect(try tokenizer.text(of: [3, 6, 7]) == "hé𝄞")
    }

    @Test("Invalid UTF-8 is repaired for display, and kept otherwise")
    func repair() throws {
        #expect(try ByteTokenizer().text(of: [0x61, 0xC3, 0x62]) == "a\u{FFFD}b")
        #expect(try ByteTokenizer().decode([0x61, 0xC3, 0x62]) == [0x61, 0xC3, 0x62])
    }

    @Test("A failed encoding leaves the ids as they were")
    func failureLeavesIds() throws {
        let tokenizer = try CharacterTokenizer(alphabetOf: "ab")
        var ids: [Int32] = [9]
        let message = message {
            try Array("abc".utf8).withUnsafeBufferPointer { try tokenizer.encode(utf8: $0, into: &ids) }
        }
        #expect(message.hasPrefix("invalidData: character U+0063 'c'"))
        #expect(ids == [9])
    }

    @Test("Fingerprints are stable, and tell tokenizers apart")
    func fingerprints() throws {
        let all = try Self.tokenizers().map(\.fingerprint)
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { $0.count == 16 })
        #expect(try Self.tokenizers().map(\.fingerprint) == all)
        #expect(ByteTokenizer().fingerprint == "2f2f33474f1d134d")
        #expect(
            try CharacterTokenizer(alphabetOf: "ab").fingerprint != CharacterTokenizer(alphabetOf: "ac").fingerprint)
    }

    @Test("A model folder gives back the tokenizer that was written to it")
    func folders() throws {
        for tokenizer in try Self.tokenizers() {
            let folder = try TemporaryFolder()
            let target = folder.url.appendingPathComponent("model")
            try tokenizer.write(to: target)
            let named = try Tokenizers.load(kind: tokenizer.kind, folder: target)
            #expect(named.fingerprint == tokenizer.fingerprint)
            if tokenizer.kind != ByteTokenizer.kind {
                #expect(try Tokenizers.load(folder: target).fingerprint == tokenizer.fingerprint)
            }
        }
    }

    @Test("Specifications read as they print", arguments: ["byte", "characters:a:b.txt", "gpt2:some/folder"])
    func specifications(text: String) throws {
        let specification = try TokenizerSpecification(text)
        #expect(specification.description == text)
        let json = try JSONEncoder().encode([specification])
        #expect(try JSONDecoder().decode([TokenizerSpecification].self, from: json) == [specification])
    }
}

@Suite struct PaddedTokenizerTests {
    @Test func idsBeyondTheTokenizersHaveNoText() throws {
        let base = ByteTokenizer()
        let padded = PaddedTokenizer(base, padding: 2)
        #expect(padded.vocabularySize == 256 && padded.kind == base.kind && padded.fingerprint == base.fingerprint)
        #expect(padded.cacheKey == base.cacheKey)
        #expect(try padded.encode("aé") == base.encode("aé"))
        #expect(try padded.text(of: [97, 257, 98, 256]) == "ab")
        for id in [-1, 258, Int32.max, Int32.min] {
            #expect(throws: TextError.self, "\(id)") { _ = try padded.decode([id]) }
        }
    }
}
