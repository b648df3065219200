import Foundation
import Testing

@testable import Text

/// The messages that users read: kind, what, where, what to do.
@Suite struct MessageTests {
    private func bytePair(_ json: String, _ merges: String = "") -> () throws -> Void {
        { _ = try BytePairTokenizer(BytePairFiles(vocabulary: Array(json.utf8), merges: Array(merges.utf8))) }
    }

    @Test func vocabularies() {
        let tokens = Toy.tokens
        let remedy = "; download the file again"
        let json = "invalidData: vocab.json: not a JSON object of tokens and ids:"
        let oneTokenizer = "; use the merges and the vocabulary of one tokenizer"
        let table: [(() throws -> Void, String)] = [
            (
                bytePair("[1]"),
                "\(json) expected '{' at byte 0" + remedy
            ),
            (
                bytePair("{\"a\": 0"),
                "\(json) expected ',' or '}' at byte 7" + remedy
            ),
            (
                bytePair("{\"a\": -1}"),
                "\(json) expected a whole number at byte 8"
                    + remedy
            ),
            (
                bytePair("{\"\\ud800\": 0}"),
                "\(json) an unpaired surrogate in a string at byte 8"
                    + remedy
            ),
            (
                bytePair("{} x"),
                "\(json) expected the end, found more after the value at byte 3"
                    + remedy
            ),
            (
                bytePair("{}"),
                "invalidData: vocab.json: 0 tokens; expected 1 to 1048575; name the folder of a GPT-2 vocabulary"
            ),
            (
                bytePair("{\"a\": 0, \"b\": 0}"),
                "invalidData: vocab.json: tokens 'a' and 'b' have the same id 0" + remedy
            ),
            (
                bytePair("{\"a\": 0, \"b\": 2}"),
                "invalidData: vocab.json: token 'b' has id 2, but there are 2 tokens; expected ids 0 to 1 without gaps"
                    + remedy
            ),
            (bytePair("{\"a\": 0, \"a\": 1}"), "invalidData: vocab.json: ids 0 and 1 are the same token 'a'" + remedy),
            (
                bytePair("{\"a\": 0}"),
                "invalidData: vocab.json: no token for byte 0; use a byte-level vocabulary, which has all 256"
            ),
            (
                bytePair(Toy.json(tokens), "#version: 0.2\nq u\n"),
                "invalidData: merges.txt: line 2, 'q u': the vocabulary lacks the result of the merge"
                    + oneTokenizer
            ),
            (
                bytePair(Toy.json(tokens), "qq u"),
                "invalidData: merges.txt: line 1, 'qq u': the vocabulary lacks the first token" + oneTokenizer
            ),
            (
                bytePair(Toy.json(tokens), "t h\n\nt h"),
                "invalidData: merges.txt: line 3, 't h': the merge is repeated" + oneTokenizer
            ),
            (
                bytePair(Toy.json(tokens), "t"),
                "invalidData: merges.txt: line 1, 't': expected two tokens and a space between them" + oneTokenizer
            ),
        ]
        for (body, expected) in table { #expect(message(body) == expected) }
    }

    @Test func texts() throws {
        let characters = try CharacterTokenizer(alphabetOf: "ab")
        let gpt2 = try Toy.tokenizer()
        let outside =
            "build the alphabet from a text that contains it, or use the tokenizer 'byte' or BPE, which encode any text"
        let table: [(() throws -> Void, String)] = [
            (
                { _ = try characters.encode("abé") },
                "invalidData: character U+00E9 'é' is not in the alphabet at byte 2; \(outside)"
            ),
            (
                { _ = try characters.encode("\n") },
                "invalidData: character U+000A '\\n' is not in the alphabet at byte 0; \(outside)"
            ),
            (
                { _ = try characters.decode([0, 2]) },
                "invalidData: token id 2 is not in 0..<2; use the tokenizer that produced the ids"
            ),
            (
                { _ = try ByteTokenizer().decode([-1]) },
                "invalidData: token id -1 is not in 0..<256; use the tokenizer that produced the ids"
            ),
            (
                { _ = try gpt2.text(of: [272]) },
                "invalidData: token id 272 is not in 0..<272; use the tokenizer that produced the ids"
            ),
            (
                { _ = try CharacterTokenizer(alphabetOf: "") },
                "invalidData: the alphabet: empty text; give a text that contains every character"
            ),
            (
                { _ = try TokenizerSpecification("gpt2:") },
                "usage: the tokenizer 'gpt2:' is unknown; give byte, characters:FILE, gpt2:DIR or hf:PATH"
            ),
            (
                { _ = try TokenizerSpecification("byte:x") },
                "usage: the tokenizer 'byte:x' is unknown; give byte, characters:FILE, gpt2:DIR or hf:PATH"
            ),
        ]
        for (body, expected) in table { #expect(message(body) == expected) }
        for (bytes, offset) in [
            ([0x61, 0xFF], 1), ([0xC3], 0), ([0xC0, 0x80], 0), ([0xED, 0xA0, 0x80], 0), ([0xF4, 0x90, 0x80, 0x80], 0),
            ([0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0xE2, 0x82, 0x61], 8), ([0xF0, 0x8F, 0xBF, 0xBF], 0),
        ] as [([UInt8], Int)] {
            for tokenizer in [ByteTokenizer(), characters, gpt2] as [any Tokenizer] {
                #expect(
                    message { _ = try tokenizer.encode(utf8: bytes) }
                        == "invalidData: invalid UTF-8 at byte \(offset); convert the text to UTF-8")
            }
        }
    }

    @Test func files() throws {
        let folder = try TemporaryFolder()
        let path = folder.url.path
        let half = try folder.file("vocab.json", "{}").deletingLastPathComponent()
        let absent = folder.url.appendingPathComponent("absent")
        let empty = try folder.file("empty.txt", "")
        let table: [(() throws -> Void, String)] = [
            (
                { _ = try BytePairTokenizer(folder: half) },
                "missingInput: \(path)/merges.txt: no such file; check the path"
            ),
            (
                { _ = try BytePairTokenizer(folder: absent) },
                "missingInput: \(path)/absent: no such folder; "
                    + "name a folder with vocab.json and merges.txt, or with encoder.json and vocab.bpe"
            ),
            (
                { _ = try CharacterTokenizer(alphabetOf: absent) },
                "missingInput: \(path)/absent: no such file; check the path"
            ),
            (
                { _ = try CharacterTokenizer(alphabetOf: empty) },
                "invalidData: \(path)/empty.txt: empty text; give a text that contains every character"
            ),
            (
                { _ = try CharacterTokenizer(alphabetOf: folder.url) },
                "missingInput: \(path): not a regular file; name a file"
            ),
            (
                { _ = try Tokenizers.load(folder: absent) },
                "missingInput: \(path)/absent: no tokenizer in this model folder; "
                    + "pass --tokenizer byte, characters:FILE, gpt2:DIR or hf:PATH"
            ),
            (
                { _ = try Tokenizers.load(kind: "bert", folder: folder.url) },
                "invalidData: \(path): unknown kind of tokenizer 'bert'; "
                    + "name one of byte, characters, gpt2, hf in config.json"
            ),
            (
                { try CharacterTokenizer(alphabetOf: "a").write(to: empty) },
                "cannotWrite: \(path)/empty.txt: cannot create the folder, because \(path)/empty.txt is a file; "
                    + "choose another place, or move the file away"
            ),
        ]
        for (body, expected) in table { #expect(message(body) == expected) }
    }
}
