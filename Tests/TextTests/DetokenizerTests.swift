import Foundation
import Testing

@testable import Text

@Suite struct DetokenizerTests {
    struct Golden: Decodable {
        let text: String
        let expected: String
    }

    static let all: [(name: String, rules: Detokenizer)] = [
        ("wikitext", .wikitext), ("ptb", .ptb), ("lm1b", .lm1b), ("lambada", .lambada),
    ]

    @Test(.enabled(if: Shared.isPresent, Shared.skipped)) func agreesWithPublishedRows() throws {
        let data = try Data(contentsOf: Shared.file("golden/detokenizers.json"))
        let golden = try JSONDecoder().decode([String: [Golden]].self, from: data)
        #expect(Set(golden.keys) == Set(Self.all.map(\.name)))
        for (name, detokenizer) in Self.all {
            for row in try #require(golden[name]) {
                let found = detokenizer(row.text)
                #expect(Array(found.utf8) == Array(row.expected.utf8), "\(name): \(row.text) gives \(found)")
            }
        }
    }

    // Whole corpora: fingerprints of all rows, made with the published regular expressions.
    @Test(
        .enabled(if: Shared.isPresent, Shared.skipped),
        arguments: [
            ("wikitext2:data/wikitext2/wiki.test.raw", 4358, "3a5692e8c2e78088"),
            ("ptb:data/wikitext2/wiki.valid.tokens", 3760, "baf7253823dd200a"),
            ("lambada:data/lambada/lambada_test.jsonl", 5153, "bef92d1fd2a8d060"),
            ("lm1b:data/lm1b/1b_benchmark.test.tokens", 12105, "333f79141558bfb0"),
        ]) func agreesOnWholeCorpora(data: String, count: Int, fingerprint: String) throws
    {
        let parts = data.split(separator: ":").map(String.init)
        let rows = try EvaluationText.rows(of: DataSpecification("\(parts[0]):\(Shared.file(parts[1]).path)")).rows
        #expect(rows.count == count)
        var hash = Fingerprint()
        hash.combine(rows.map { Array($0.utf8) }.joined(separator: [0]))
        #expect(hash.text == fingerprint)
    }

    // Cases that the corpora may not have; what the published regular expressions make of them.
    @Test(arguments: [
        ("wikitext", "see /' 5/ and /' a/", "see /'[0-9]/ and /' a/"),
        ("wikitext", "( a ( b ) c )", "(a ( b) c )"),
        ("wikitext", "{\u{A0}a\u{1F}}", "{a}"),
        ("wikitext", "\" a \" b \" c", "\"a\" b \" c"),
        ("ptb", "N N N N N", "N 1 1 1 N"),
        ("ptb", "a N N b", "a 1 1 b"),
        ("lm1b", "a . b . c . d", "a . b. c . d"),
        ("lm1b", "x a . b . c . d", "x a. b . c. d"),
        ("lm1b", "a b .\n", "a b.\n"),
        ("lm1b", "\"  \" and \" a\" b \"", "\"  \"and\" a\"b\""),
        ("lm1b", "it 'é and ' é", "it'é and ' é"),
        ("lm1b", "https : / / x ?", "https://x?"),
        ("lambada", "\u{1C}a\u{85}", "\na"),
        ("lambada", "", "\n"),
    ]) func corner(name: String, text: String, expected: String) throws {
        let detokenizer = try #require(Self.all.first { $0.name == name }).rules
        #expect(detokenizer(text) == expected)
    }
}
