import Foundation
import SEDD
import Text

@testable import SEDDServer

/// Byte-level tokens and a few additional ones, in the file format of Hugging Face's `tokenizers`.
enum PieceModels {
    struct Added: Encodable {
        let id: Int
        let content: String
        let special: Bool
        let singleWord = false
        let lstrip = false
        let rstrip = false
        let normalized = false

        private enum CodingKeys: String, CodingKey {
            case id, content, special, lstrip, rstrip, normalized, singleWord = "single_word"
        }
    }

    /// The letters that stand for bytes in such files, by GPT-2's rule.
    private static let letters: [String] = {
        let plain = Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)
        var next = 256
        return (0..<256).map { byte in
            if plain.contains(byte) { return String(UnicodeScalar(UInt8(byte))) }
            defer { next += 1 }
            return UnicodeScalar(next).map(String.init) ?? ""
        }
    }()

    static func tokenizer(_ added: [Added]) throws -> BytePairTokenizer {
        let vocabulary = Dictionary(uniqueKeysWithValues: letters.enumerated().map { ($1, $0) })
        let level: [String: Any] = ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true]
        let tokens = try JSONSerialization.jsonObject(with: JSONEncoder().encode(added))
        let file: [String: Any] = [
            "version": "1.0", "added_tokens": tokens, "pre_tokenizer": level.merging(["use_regex": true]) { $1 },
            "decoder": level.merging(["use_regex": true]) { $1 },
            "model": ["type": "BPE", "vocab": vocabulary, "merges": [] as [String]] as [String: Any],
        ]
        let folder = FileManager.default.temporaryDirectory.appending(path: "pieces-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try JSONSerialization.data(withJSONObject: file).write(to: folder.appending(path: "tokenizer.json"))
        return try BytePairTokenizer(json: folder)
    }

    /// An untrained model of an absorbing chain over `tokens` tokens; MASK is the state after the last one.
    static func model(tokens: Int, _ added: [Added], card: ModelCard? = nil) throws -> ServedModel {
        let configuration = ModelConfiguration(
            tokens: tokens, graph: .init(type: .absorb), noise: .init(type: .loglinear),
            model: .init(
                hiddenSize: 32, condDim: 16, length: 24, nBlocks: 1, nHeads: 2, scaleBySigma: true, dropout: 0),
            tokenizer: "hf")
        return try ServedModel(
            name: "pieces", network: try ScoreNetwork(configuration, seed: 3), card: card,
            tokenizer: try tokenizer(added), created: 0)
    }
}
