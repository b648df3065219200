import Files
import Foundation
import Harness
import TensorFiles
import Text

// The readers that need no tensor engine.

/// Reads all tensors of a file of weights, as loading a network does.
func readWeights(_ url: URL) throws {
    let file = try WeightFile(url)
    for (name, entry) in file.entries {
        guard let bytes = try? file.bytes(name) else { continue }
        // The element count matches the header and does not exceed the file.
        precondition(bytes.count * 8 == (TensorEntry.count(entry.shape) ?? -1) * entry.element.bits)
        precondition(bytes.count <= file.bytesOnDisk)
    }
    _ = try? file.average(names: ["a", "b"])
}

/// `bytes` in two parts, cut at the first byte 0.
func halves(_ bytes: [UInt8]) -> (ArraySlice<UInt8>, ArraySlice<UInt8>) {
    guard let cut = bytes.firstIndex(of: 0) else { return (bytes[...], []) }
    return (bytes[..<cut], bytes[(cut + 1)...])
}

/// Encodes a text and decodes the ids, which must give the same text.
func roundTrip(_ tokenizer: any Tokenizer, _ text: ArraySlice<UInt8>) {
    let text = Array(text)
    var ids: [Int32] = []
    guard (try? text.withUnsafeBufferPointer({ try tokenizer.encode(utf8: $0, into: &ids) })) != nil else { return }
    precondition(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
    var back: [UInt8] = []
    for id in ids { try? tokenizer.append(bytesOf: id, to: &back) }
    precondition(back == text, "\(text) came back as \(back)")
}

Harness.run([
    "json": { bytes, _ in
        var strict = JSONParser.Rules(depth: 64, values: 1 << 16)
        let value = try JSON.parse(bytes, source: "x")
        // Whoever is strict accepts less, and means the same.
        strict.loneSurrogates = .refused
        if let same = try? JSON.parse(bytes, source: "x", rules: strict) { precondition(same == value) }
    },
    "safetensors": { bytes, scratch in
        // The length of the header follows from the input, so that mutations go into the header itself.
        let (header, payload) = halves(bytes)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        let file = try SafetensorsFile(scratch.file("w.safetensors", length + header + payload))
        for name in file.entries.keys { _ = try file.bytes(name) }
    },
    "weights": { bytes, scratch in try readWeights(scratch.file("w.bin", bytes)) },
    "pickle": { bytes, scratch in
        // Magic number, version, a description of the machine; content, keys and storages come from the input.
        let start: [UInt8] =
            [0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
            + [0x80, 2, 0x4D, 0xE9, 3, 0x2E] + [0x80, 2, 0x7D, 0x2E]
        try readWeights(scratch.file("w.bin", start + bytes))
    },
    "index": { bytes, scratch in
        _ = scratch.file("a.safetensors", [2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D])
        try readWeights(scratch.file("w.index.json", bytes))
    },
    "bytepair": { bytes, scratch in
        let (vocabulary, rest) = halves(bytes)
        let (merges, text) = halves(Array(rest))
        _ = scratch.file("vocab.json", vocabulary)
        _ = scratch.file("merges.txt", merges)
        roundTrip(try BytePairTokenizer(folder: scratch.folder), text)
    },
    "tokenizer": { bytes, scratch in
        let (json, text) = halves(bytes)
        let tokenizer = try BytePairTokenizer(json: scratch.file("tokenizer.json", json))
        // The text may come back changed, because of a normalizer or of tokens that strip spaces; but every id is a token.
        var ids: [Int32] = []
        guard (try? Array(text).withUnsafeBufferPointer({ try tokenizer.encode(utf8: $0, into: &ids) })) != nil else {
            return
        }
        precondition(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
        var back: [UInt8] = []
        for id in ids { try tokenizer.append(bytesOf: id, to: &back) }
    },
    "characters": { bytes, scratch in
        let (alphabet, text) = halves(bytes)
        roundTrip(try CharacterTokenizer(alphabetOf: scratch.file("characters.txt", alphabet)), text)
    },
    "tokens": { bytes, scratch in
        let url = scratch.file("x.bin", bytes)
        if let file = try? TokenFile(url) { _ = try? file.ids(0..<file.count) }
        let file = try TokenFile(binary: url, tokenizer: ByteTokenizer())
        _ = try file.ids(0..<file.count)
    },
    "texts": { bytes, scratch in
        // The first byte selects the reader, and how much it reads at once.
        guard let first = bytes.first else { return }
        let (names, rest) = (["x.txt", "x.jsonl", "x.json", "x.bin"], bytes.dropFirst())
        let url = scratch.file(names[Int(first) % names.count], rest)
        let prefixes = [""] + DataSetName.allCases.map { $0.rawValue + ":" }
        let specification = try DataSpecification(prefixes[Int(first) / 4 % prefixes.count] + url.path)
        let text = try EvaluationText(specification, tokenizer: ByteTokenizer())
        _ = try text.block(0, length: 4)
    },
])
