import Foundation
import Testing

@testable import Text

@Suite struct BytePairTests {
    struct Golden: Decodable {
        let text: String
        let ids: [Int32]
    }

    @Test(
        "GPT-2's ids, as other implementations have them", .enabled(if: Shared.isPresent, Shared.skipped),
        arguments: ["golden/gpt2-tokenizer.json", "data/gpt2-bpe/golden.json"])
    func golden(path: String) throws {
        let tokenizer = try Shared.gpt2.get()
        let table = try JSONDecoder().decode([Golden].self, from: Data(contentsOf: Shared.file(path)))
        #expect(table.count > 40)
        for row in table {
            #expect(try tokenizer.encode(row.text) == row.ids, "\(row.text.debugDescription)")
            #expect(try tokenizer.text(of: row.ids) == row.text)
        }
        #expect(tokenizer.vocabularySize == 50257)
        #expect(tokenizer.endOfText == 50256)
        #expect(try tokenizer.bytes(of: 50256) == Array("<|endoftext|>".utf8))
    }

    @Test(
        "Pieces are those of GPT-2's regular expression",
        arguments: [
            ("", []),
            ("Hello world", ["Hello", " world"]),
            ("a  b", ["a", " ", " b"]),
            ("a \n b ", ["a", " \n", " b", " "]),
            ("  ", ["  "]),
            ("\n\nx", ["\n", "\n", "x"]),
            ("it's I'LL we've 'tis", ["it", "'s", " I", "'", "LL", " we", "'ve", " '", "tis"]),
            ("'st 're'", ["'s", "t", " '", "re", "'"]),
            ("x2²Ⅷ!?a", ["x", "2²Ⅷ", "!?", "a"]),
            ("e\u{301}a", ["e", "\u{301}", "a"]),
            ("a\u{A0}b\u{3000}\u{2028}c", ["a", "\u{A0}", "b", "\u{3000}", "\u{2028}", "c"]),
            ("\u{1C}\u{200B}\u{180E} \u{85}z", ["\u{1C}\u{200B}\u{180E}", " ", "\u{85}", "z"]),
            ("don’t", ["don", "’", "t"]),
            (" 日本𠀀𝟙👍", [" 日本𠀀", "𝟙", "👍"]),
            ("abcdefghijklmnopq1", ["abcdefghijklmnopq", "1"]),
        ] as [(String, [String])])
    func pieces(text: String, expected: [String]) {
        let bytes = Array(text.utf8)
        var pieces: [String] = []
        bytes.withUnsafeBufferPointer { buffer in
            ScalarClass.basicPlane.withUnsafeBufferPointer { classes in
                guard let base = buffer.baseAddress, let table = classes.baseAddress else { return }
                let scanner = PieceScanner(base: base, count: buffer.count, classes: table)
                var start = 0
                while start < buffer.count {
                    let end = scanner.end(from: start)
                    pieces.append(String(decoding: buffer[start..<end], as: UTF8.self))
                    start = end
                }
            }
        }
        // Compared by scalars, because Swift's == treats canonically equivalent strings as equal.
        #expect(pieces.map { Array($0.unicodeScalars) } == expected.map { Array($0.unicodeScalars) })
    }

    @Test("Merges follow the ranks, whatever the length of the piece")
    func merges() throws {
        let tokenizer = try Toy.tokenizer()
        var random = Random(state: 7)
        for length in [1, 2, 3, 22, 23, 24, 25, 47, 48, 49, 60, 200] {
            for _ in 0..<20 {
                let piece = (0..<length).map { _ in "thegainlo".randomElement(using: &random) ?? "a" }
                #expect(try tokenizer.encode(String(piece)) == reference(String(piece)), "\(String(piece))")
            }
        }
        #expect(
            try tokenizer.encode("the the'sé") == reference("the") + reference("Ġthe") + reference("'s")
                + reference("Ã©"))
        #expect(tokenizer.endOfText == Int32(256 + Toy.merges.count))
    }

    /// Merging by definition: repeatedly the pair learned first, wherever it is, from the left.
    private func reference(_ piece: String) -> [Int32] {
        var parts = piece.map(String.init)
        while let best = Toy.merges.first(where: { merge in
            zip(parts, parts.dropFirst()).contains { "\($0) \($1)" == merge }
        }) {
            var index = 0
            while index + 1 < parts.count {
                if "\(parts[index]) \(parts[index + 1])" == best { parts[index] += parts.remove(at: index + 1) }
                index += 1
            }
        }
        return parts.compactMap { part in Toy.tokens.firstIndex(of: part).map { Int32($0) } }
    }

    @Test("A long piece takes n log n, not n²", arguments: ["a", "the", "thequickbrownfoxing"])
    func longPieces(unit: String) throws {
        let tokenizer = try Toy.tokenizer()
        func clock() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        }
        func seconds(_ length: Int) throws -> Double {
            let bytes = Array(
                Array(repeating: Array(unit.utf8), count: length / unit.utf8.count + 1).joined().prefix(length))
            var best = Double.infinity
            for _ in 0..<3 {
                // The thread's own time: other tests run concurrently.
                let start = clock()
                let ids = try tokenizer.encode(utf8: bytes)
                best = min(best, clock() - start)
                #expect(try tokenizer.decode(ids) == bytes)
            }
            return best
        }
        let short = try seconds(6_000)
        let long = try seconds(96_000)
        // 16 if linear, 256 if quadratic; a busy machine blurs it, but not by that much.
        #expect(long < 80 * short, "\(long) s for 96,000 bytes, \(short) s for 6,000")
    }

    @Test("Several threads encode at once and get the same ids")
    func threads() async throws {
        let tokenizer = try Toy.tokenizer()
        var random = Random(state: 3)
        let texts = (0..<8).map { _ in random.text(300) }
        let expected = try texts.map { try Toy.tokenizer().encode($0) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for task in 0..<16 {
                group.addTask {
                    try (0..<20).allSatisfy { _ in try tokenizer.encode(texts[task % 8]) == expected[task % 8] }
                }
            }
            for try await same in group { #expect(same) }
        }
    }
}
