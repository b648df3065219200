import Files
import Foundation
import Testing

@testable import Text

/// `tokenizer.json` against the results of Hugging Face's package (`Scripts/tokenizer_golden.py`).
@Suite struct TokenizerJSONTests {
    struct Form: Decodable, Sendable, CustomTestStringConvertible {
        struct Case: Decodable, Sendable {
            let text: String
            /// With special tokens as text like any other.
            let ids: [Int32]
            /// With special tokens found.
            let specials: [Int32]
        }

        let name: String
        let json: String
        let cases: [Case]
        var testDescription: String { name }

        func tokenizer() throws -> BytePairTokenizer { try BytePairTokenizer(json: Array(json.utf8)) }
    }

    static let forms: [Form] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Golden/tokenizer-json.json")
        guard let data = try? Data(contentsOf: file), let rows = try? JSONDecoder().decode([Form].self, from: data)
        else { fatalError("Tests/TextTests/Golden/tokenizer-json.json cannot be read") }
        return rows
    }()

    @Test("Ids are theirs", arguments: forms) func ids(form: Form) throws {
        let tokenizer = try form.tokenizer()
        #expect(form.cases.count > 150)
        for row in form.cases {
            let text = Array(row.text.utf8)
            #expect(try tokenizer.encode(utf8: text) == row.ids, "\(row.text.debugDescription)")
            #expect(try tokenizer.encode(utf8: text, specials: true) == row.specials, "\(row.text.debugDescription)")
            if tokenizer.isLossless, form.name != "flags" {
                #expect(try tokenizer.decode(row.ids) == text, "\(row.text.debugDescription)")
            }
            if let end = tokenizer.endOfText { #expect(!row.ids.contains(end)) }
        }
    }

    /// A tokenizer of the bytes and of added tokens, with ids from 256 on.
    private func bytes(
        _ added: [(content: String, left: Bool, right: Bool)], ignoresMerges: Bool = false, special: Bool = false
    ) throws
        -> BytePairTokenizer
    {
        let trained = try BytePairTrainer(size: 256).train(texts: [])
        let folder = try TemporaryFolder()
        try trained.write(to: folder.url)
        let file = folder.url.appendingPathComponent("tokenizer.json")
        var json = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        json["added_tokens"] = added.enumerated().map { index, token in
            [
                "id": 256 + index, "content": token.content, "single_word": false, "lstrip": token.left,
                "rstrip": token.right, "normalized": false, "special": special,
            ] as [String: Any]
        }
        var model = try #require(json["model"] as? [String: Any])
        model["ignore_merges"] = ignoresMerges
        json["model"] = model
        return try BytePairTokenizer(json: Array(JSONSerialization.data(withJSONObject: json)))
    }

    /// White space that one token has absorbed is not another's; the ids are Hugging Face's, which itself fails at the
    /// last text.
    @Test func absorbedWhiteSpace() throws {
        let blanks = try bytes([("  ", true, true)])
        for text in ["a      b", "a    b", "a   b", "a  b"] {
            let found = try blanks.encode(text)
            #expect(found.count == 3 && found[1] == 256, "\(text): \(found)")
        }
        #expect(try bytes([("<x>", false, true), (" y", false, false)]).encode("<x>  y") == [256, 257])
        #expect(try bytes([("<x>", false, true), (" y", true, false)]).encode("<x> y") == [256, 257])
        #expect(try bytes([("<x>", false, true), (" ", false, false)]).encode("<x>  y").prefix(3) == [256, 257, 257])
        #expect(try bytes([("<x>", false, true), ("\n", true, false)]).encode("<x> \n b").first == 256)
    }

    /// A piece that is a token bypasses merges only if the vocabulary has it: text never encodes to a token that was
    /// only added.
    @Test func ignoredMerges() throws {
        let tokenizer = try bytes([("MASK", false, false)], ignoresMerges: true)
        #expect(try tokenizer.encode(utf8: Array("xMASK".utf8)).contains(256), "found as an added token")
        let special = try bytes([("MASK", false, false)], ignoresMerges: true, special: true)
        #expect(try special.encode("MASK") == bytes([]).encode("MASK"), "not sought, so it is text")
        #expect(try special.encode(utf8: Array("MASK".utf8), specials: true) == [256])
    }

    /// Memory is in proportion to the file.
    @Test func longTokens() throws {
        let long = String(repeating: "a", count: 400_000)
        let tokenizer = try bytes([(long, false, false)])
        #expect(try tokenizer.encode("b" + long + "c").count == 3)
    }

    /// Both forms of a tokenizer know its end of text, by either name.
    @Test(arguments: ["<|endoftext|>", "<|end_of_text|>"]) func endsOfText(_ end: String) throws {
        let folder = try TemporaryFolder()
        try BytePairTrainer(size: 258, specials: [end]).train(texts: ["ab ab"]).write(to: folder.url)
        let (one, other) = (try BytePairTokenizer(json: folder.url), try BytePairTokenizer(folder: folder.url))
        #expect(one.endOfText == 0 && other.endOfText == 0 && one.fingerprint == other.fingerprint)
        #expect(one.cacheKey == other.cacheKey)
    }

    /// Merges of other tokens to the same results give other ids, which the cache must not confuse.
    @Test func mergesThatDiffer() throws {
        let folder = try TemporaryFolder()
        try BytePairTrainer(size: 256).train(texts: []).write(to: folder.url)
        let file = folder.url.appendingPathComponent("vocab.json")
        var vocabulary = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Int])
        for (index, token) in ["ab", "bc", "abc"].enumerated() { vocabulary[token] = 256 + index }
        try JSONSerialization.data(withJSONObject: vocabulary).write(to: file)
        let made = try ["a b\nb c\nab c\n", "a b\nb c\na bc\n"].map { merges -> BytePairTokenizer in
            try Data(("#version: 0.2\n" + merges).utf8).write(to: folder.url.appendingPathComponent("merges.txt"))
            return try BytePairTokenizer(folder: folder.url)
        }
        #expect(try made[0].encode("abc") == [258] && made[1].encode("abc") != [258])
        #expect(made[0].cacheKey != made[1].cacheKey)
    }

    @Test("A text may be cut where it says", arguments: forms) func cuts(form: Form) throws {
        let tokenizer = try form.tokenizer()
        var cuts = 0
        for row in form.cases {
            let bytes = Array(row.text.utf8)
            for end in 1...max(1, bytes.count) where end <= bytes.count {
                let cut = bytes[..<end].withUnsafeBufferPointer { tokenizer.safeCut(in: $0) }
                guard cut > 0 else { continue }
                cuts += 1
                let parts =
                    try tokenizer.encode(utf8: Array(bytes[..<cut])) + tokenizer.encode(utf8: Array(bytes[cut...]))
                #expect(parts == row.ids, "\(row.text.debugDescription) at \(cut)")
            }
        }
        #expect(cuts > 500)
    }

    @Test("A folder, a model folder and a trained vocabulary") func folders() throws {
        let folder = try TemporaryFolder()
        let learnt = try BytePairTrainer(size: 300, specials: ["<|endoftext|>"]).train(texts: [
            "the cat the hat the mat"
        ])
        try learnt.write(to: folder.url)
        let json = try TokenizerSpecification("hf:\(folder.url.path)").load()
        let file = try TokenizerSpecification("hf:\(folder.url.path)/tokenizer.json").load()
        let pair = try TokenizerSpecification("gpt2:\(folder.url.path)").load()
        // The same tokenizer from two formats: equal fingerprints, so each accepts data of the other.
        #expect(json.fingerprint == pair.fingerprint && file.fingerprint == json.fingerprint)
        #expect(json.endOfText == 0 && pair.endOfText == 0)
        #expect(json.kind == "hf" && pair.kind == "gpt2")
        let model = folder.url.appendingPathComponent("model")
        try json.write(to: model)
        #expect(try Tokenizers.load(folder: model).kind == "hf")
        #expect(try Tokenizers.load(kind: "hf", folder: model).fingerprint == json.fingerprint)
        // A tokenizer.json alone is enough.
        #expect(try FileManager.default.contentsOfDirectory(atPath: model.path) == ["tokenizer.json"])
    }

    @Test("Forms are told apart by their fingerprints") func fingerprints() throws {
        let all = try Self.forms.map { try $0.tokenizer().fingerprint }
        #expect(Set(all).count == all.count)
    }

    /// A file of GPT-2's form with changes.
    private func changed(_ old: String, _ new: String) throws -> () throws -> Void {
        let json = try #require(Self.forms.first { $0.name == "gpt2" }).json
        try #require(json.contains(old), "\(old)")
        let bytes = Array(json.replacingOccurrences(of: old, with: new).utf8)
        return { _ = try BytePairTokenizer(json: bytes) }
    }

    @Test("What is not of a known form is refused by its name") func refusals() throws {
        let table: [(String, String, String)] = [
            ("\"type\": \"BPE\"", "\"type\": \"Unigram\"", "a model of type 'Unigram' is not supported"),
            ("\"dropout\": null", "\"dropout\": 0.1", "a dropout is not supported"),
            ("\"byte_fallback\": false", "\"byte_fallback\": true", "byte_fallback (a SentencePiece vocabulary)"),
            ("\"end_of_word_suffix\": null", "\"end_of_word_suffix\": \"</w>\"", "a end_of_word_suffix"),
            ("\"normalizer\": null", "\"normalizer\": {\"type\": \"Lowercase\"}", "the normalizer 'Lowercase'"),
            (
                "\"normalizer\": null",
                "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFD\"}]}",
                "the normalizer 'NFD'"
            ),
            ("\"add_prefix_space\": false", "\"add_prefix_space\": true", "a pre-tokenizer with add_prefix_space"),
            ("\"use_regex\": true}, \"post", "\"use_regex\": false}, \"post", "a pre-tokenizer that does not split"),
            (
                "\"pre_tokenizer\": {\"type\": \"ByteLevel\"", "\"pre_tokenizer\": {\"type\": \"Metaspace\"",
                "the pre-tokenizer 'Metaspace'"
            ),
            (
                "\"decoder\": {\"type\": \"ByteLevel\"", "\"decoder\": {\"type\": \"WordPiece\"",
                "the decoder 'WordPiece'"
            ),
            ("\"!\": 0", "\"!\": 1", "have the same id 1"),
            ("\"!\": 0", "\"!!!\": 0", "no token for byte 33"),
            ("\"!\": 0", "\"!\": 100000", "none has id 0"),
            ("\"!\": 0", "\"!\": -1", "expected a whole number"),
            ("\"merges\": [", "\"merges\": [[\"q\", \"zz\"], ", "merge 0: the vocabulary lacks 'zz'"),
            ("\"merges\": [", "\"merges\": [5, ", "the merges are not a list of pairs"),
            ("\"model\"", "\"modell\"", "not a tokenizer.json: it has no 'model'"),
            ("\"vocab\"", "\"vocabulary\"", "the model has no 'vocab' or no 'merges'"),
            ("\"version\"", "version", "not a tokenizer.json: expected the name of a member"),
        ]
        for (old, new, expected) in table {
            let found = message(try changed(old, new))
            #expect(found.hasPrefix("invalidData: tokenizer.json") && found.contains(expected), "\(new): \(found)")
        }
        let split = try #require(Self.forms.first { $0.name == "llama3" }).json
        let other = split.replacingOccurrences(of: "{1,3}", with: "{1,4}")
        #expect(message { _ = try BytePairTokenizer(json: Array(other.utf8)) }.contains("splitting by the expression"))
        #expect(message { _ = try BytePairTokenizer(json: []) }.contains("not a tokenizer.json"))
    }

    @Test(
        "Normalization Form C of what Unicode's rules make difficult",
        arguments: [
            ("e\u{301}", "é"), ("\u{1100}\u{1161}\u{11A8}", "각"), ("가\u{11A8}", "각"), ("\u{212B}", "Å"),
            ("l\u{F73}\u{301}", "\u{13A}\u{F71}\u{F72}"), ("\u{344}", "\u{308}\u{301}"),
            ("a\u{307}\u{323}", "ạ\u{307}"),
            ("\u{B00D5}\u{301}", "\u{B00D5}\u{301}"), ("क\u{93C}", "क\u{93C}"), ("ab é c", "ab é c"),
            // Later than the standard that tokenizers compose by: it does not combine.
            ("x\u{D3B}\u{301}", "x\u{D3B}\u{301}"), ("\u{1D15E}", "\u{1D157}\u{1D165}"),
        ]) func composed(text: String, expected: String)
    {
        let found = Array(text.utf8).withUnsafeBufferPointer { ComposedForm.of($0) } ?? Array(text.utf8)
        #expect(found == Array(expected.utf8), "\(String(decoding: found, as: UTF8.self).debugDescription)")
    }
}
