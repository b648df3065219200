import Files
import Foundation
import Testing

@testable import Text

/// Texts and vocabularies that are not in the repository: `shared` beside the repository, or `$SEDD_SHARED`.
enum Shared {
    static let folder: URL? = {
        // Tests/TextTests/Support.swift
        let package = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent()
        let environment = ProcessInfo.processInfo.environment["SEDD_SHARED"].map { URL(fileURLWithPath: $0) }
        let candidates = [package.deletingLastPathComponent().appendingPathComponent("shared"), environment]
        return candidates.compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0.path) }
    }()

    static var isPresent: Bool { folder != nil }
    static let skipped: Comment = "skipped: no folder 'shared' beside the repository, and SEDD_SHARED is not set"

    static func file(_ path: String) throws -> URL { try #require(folder).appendingPathComponent(path) }

    /// GPT-2's tokenizer, loaded once.
    static let gpt2 = Result<any Tokenizer, any Error> {
        try BytePairTokenizer(folder: file("data/gpt2-bpe"))
    }
}

/// A temporary folder for one test, removed with the value.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("text-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func file(_ name: String, _ bytes: [UInt8]) throws -> URL {
        let file = url.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file
    }

    func file(_ name: String, _ text: String) throws -> URL { try file(name, Array(text.utf8)) }

    var contents: [String] { (try? FileManager.default.contentsOfDirectory(atPath: url.path).sorted()) ?? [] }
}

/// SplitMix64: the same texts in every run.
struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// Text that tries every rule of GPT-2's splitting: odd spaces, contractions, marks, all planes.
    mutating func text(_ count: Int) -> String {
        let fragments = [
            "'s", "'S", "'t", "'re", "'ve", "'ll", "’s", "'", " '", "the", " The", "\r\n", "  ", "   ", "\n\n", "12",
            "...", "é", "日本", "мир", "👩‍👩‍👧",
            "\u{A0}", "\u{2028}", "\u{3000}", "\u{85}", "\u{1C}", "\u{180E}", "\u{200B}",
            "\u{301}", "²", "Ⅷ", "<|endoftext|>",
        ]
        var text = ""
        for _ in 0..<count {
            if Int.random(in: 0..<4, using: &self) > 0 {
                text += fragments.randomElement(using: &self) ?? ""
            } else {
                let limit = [0x80, 0x800, 0x10000, 0x110000].randomElement(using: &self) ?? 0x80
                let value = UInt32.random(in: 0..<UInt32(limit), using: &self)
                text.unicodeScalars.append(Unicode.Scalar(value) ?? " ")
            }
        }
        return text
    }
}

/// A vocabulary small enough to read: the 256 bytes, then the results of the merges.
enum Toy {
    static let merges = [
        "t h", "th e", "Ġ the", "a a", "aa aa", "h e", "Ġ t", "i n", "in g", "' s", "Ġ Ġ", "Ã ©",
        "e r", "l l", "o n",
    ]

    /// The characters that stand for bytes, in the order of the bytes.
    static let letters: [Character] = {
        var letters = [Character](repeating: " ", count: 256)
        for (value, byte) in ByteAlphabet.bytes.enumerated() where byte >= 0 {
            letters[Int(byte)] = Character(Unicode.Scalar(UInt32(value)) ?? " ")
        }
        return letters
    }()

    static var tokens: [String] {
        letters.map(String.init) + merges.map { $0.replacingOccurrences(of: " ", with: "") } + ["<|endoftext|>"]
    }

    static func json(_ tokens: [String]) -> String {
        let pairs = tokens.enumerated().map { id, token in
            let escaped = token.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(
                of: "\"", with: "\\\"")
            return "\"\(escaped)\": \(id)"
        }
        return "{\(pairs.joined(separator: ", "))}"
    }

    static var mergesText: String { "#version: 0.2\n" + merges.joined(separator: "\n") + "\n" }

    static func tokenizer() throws -> BytePairTokenizer {
        try BytePairTokenizer(BytePairFiles(vocabulary: Array(json(tokens).utf8), merges: Array(mergesText.utf8)))
    }
}

/// Any error as the text that a person would see.
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch let error as TextError {
        return "\(error.kind): \(error)"
    } catch {
        return "\(error)"
    }
}
