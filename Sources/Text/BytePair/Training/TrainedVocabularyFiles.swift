public import Files
public import Foundation

extension TrainedVocabulary {
    /// Names of the vocabulary's files.
    public static let fileNames = ["tokenizer.json", "vocab.json", "merges.txt"]

    /// Writes `tokenizer.json`, `vocab.json` and `merges.txt`, byte for byte as Hugging Face's `tokenizers` does.
    /// - Throws: `cannotWrite`.
    public func write(to folder: URL) throws(TextError) {
        for (name, bytes) in zip(Self.fileNames, [tokenizerJSON(), vocabularyJSON(), mergesText()]) {
            try OutputFile.write(bytes, to: folder.appendingPathComponent(name))
        }
    }

    /// A JSON object that maps tokens to ids, in id order.
    func vocabularyJSON() -> [UInt8] {
        var json: [UInt8] = []
        for (id, token) in tokens.enumerated() {
            json.append(UInt8(ascii: json.isEmpty ? "{" : ","))
            json += Self.quoted(token)
            json += ":\(id)".utf8
        }
        return json + [UInt8(ascii: "}")]
    }

    /// One merge per line, after a version line.
    func mergesText() -> [UInt8] {
        var text = Array("#version: 0.2\n".utf8)
        for pair in merges {
            text += tokens[Int(pair.left)] + [UInt8(ascii: " ")] + tokens[Int(pair.right)] + [UInt8(ascii: "\n")]
        }
        return text
    }

    /// Splitting, bytes, special tokens, vocabulary and merges in one file.
    func tokenizerJSON() -> [UInt8] {
        var json = Array("{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n".utf8)
        json += Self.list(
            "added_tokens",
            specials.enumerated().map { id, special in
                Array(
                    """
                        {
                          "id": \(id),
                          "content": \(String(decoding: Self.quoted(Array(special.utf8)), as: UTF8.self)),
                          "single_word": false,
                          "lstrip": false,
                          "rstrip": false,
                          "normalized": false,
                          "special": true
                        }
                    """.utf8)
            }, indent: "  ")
        json +=
            """
            ,
              "normalizer": null,
              "pre_tokenizer": {
                "type": "ByteLevel",
                "add_prefix_space": false,
                "trim_offsets": true,
                "use_regex": true
              },
              "post_processor": null,
              "decoder": {
                "type": "ByteLevel",
                "add_prefix_space": true,
                "trim_offsets": true,
                "use_regex": true
              },
              "model": {
                "type": "BPE",
                "dropout": null,
                "unk_token": null,
                "continuing_subword_prefix": null,
                "end_of_word_suffix": null,
                "fuse_unk": false,
                "byte_fallback": false,
                "ignore_merges": false,
                "vocab": {

            """.utf8
        for (id, token) in tokens.enumerated() {
            json += "      ".utf8
            json += Self.quoted(token)
            json += ": \(id)\(id == tokens.count - 1 ? "" : ",")\n".utf8
        }
        json += "    },\n".utf8
        json += Self.list(
            "merges",
            merges.map { pair in
                Array("      [\n        ".utf8) + Self.quoted(tokens[Int(pair.left)]) + Array(",\n        ".utf8)
                    + Self.quoted(tokens[Int(pair.right)]) + Array("\n      ]".utf8)
            }, indent: "    ")
        return json + "\n  }\n}".utf8
    }

    /// A named JSON array with one member per line, or `[]`; `indent` is that of the name.
    private static func list(_ name: String, _ members: [[UInt8]], indent: String) -> [UInt8] {
        guard !members.isEmpty else { return Array("\(indent)\"\(name)\": []".utf8) }
        return Array("\(indent)\"\(name)\": [\n".utf8) + Array(members.joined(separator: Array(",\n".utf8)))
            + Array("\n\(indent)]".utf8)
    }

    /// A JSON string with escaped quotation marks, backslashes and control characters.
    private static func quoted(_ text: [UInt8]) -> [UInt8] {
        var json: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
            case 0x08: json += "\\b".utf8
            case 0x09: json += "\\t".utf8
            case 0x0A: json += "\\n".utf8
            case 0x0C: json += "\\f".utf8
            case 0x0D: json += "\\r".utf8
            case 0..<0x20: json += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: json.append(byte)
            }
        }
        return json + [UInt8(ascii: "\"")]
    }
}
