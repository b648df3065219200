import ArgumentParser
import Files
import Foundation
import SEDD
import Text

struct Tokenize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Convert text on stdin to token ids on stdout, or back.",
        discussion: """
            All of stdin is one text, and its ids one JSON array; with --jsonl each input line is a JSON string and each output \
            line a JSON array of ids. --decode converts the other way.

            Examples:
              echo -n 'Hello world' | sedd tokenize --tokenizer gpt2:models/gpt2
              echo '[15496,995]' | sedd tokenize --tokenizer gpt2:models/gpt2 --decode
            """)

    @Option(help: ArgumentHelp("byte, characters:FILE, gpt2:DIR, hf:PATH or hf:ORG/NAME.", valueName: "tokenizer"))
    var tokenizer: String
    @Flag(help: "Convert ids to text.") var decode = false
    @Flag(help: "Encode special tokens found in the text as their ids; by default they are ordinary text.")
    var specials = false
    @Flag(help: "One JSON value per line.") var jsonl = false

    func run() async throws {
        let tokenizer = try await HubAccess.tokenizer(tokenizer)
        let input = Data(try StandardInput.read())
        guard jsonl else {
            if decode {
                try write(tokenizer.decode(ids(input, "stdin")))
            } else {
                try write(array(encode([UInt8](input), tokenizer)))
            }
            return
        }
        for (index, line) in input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if line.isEmpty { continue }
            let place = "line \(index + 1)"
            do {
                try write(
                    decode
                        ? quoted(tokenizer.decode(ids(line, place)), place)
                        : array(encode(Array(text(line, place).utf8), tokenizer))
                )
            } catch let error as TextError {
                throw SEDDError(
                    .invalidData, error.source == place ? error.description : "\(place): \(error.description)")
            }
        }
    }

    private func encode(_ text: [UInt8], _ tokenizer: any Tokenizer) throws -> [Int32] {
        guard specials else { return try tokenizer.encode(utf8: text) }
        guard let tokenizer = tokenizer as? BytePairTokenizer else {
            throw SEDDError(.usage, "--specials: the tokenizer '\(self.tokenizer)' has no special tokens; leave it out")
        }
        return try tokenizer.encode(utf8: text, specials: true)
    }

    /// A JSON string; an unpaired surrogate, which UTF-8 cannot represent, becomes U+FFFD, as in all texts that are
    /// read.
    private func text(_ line: Data, _ place: String) throws -> String {
        guard case .string(let text) = try JSON.parse([UInt8](line), source: place) else {
            throw SEDDError(.invalidData, "\(place): expected a JSON string")
        }
        return text
    }

    private func ids(_ data: Data, _ place: String) throws -> [Int32] {
        guard case .array(let values) = try JSON.parse([UInt8](data), source: place) else {
            throw SEDDError(.invalidData, "\(place): expected a JSON array of token ids")
        }
        return try values.map { value in
            guard case .integer(let number) = value, let id = Int32(exactly: number) else {
                throw SEDDError(.invalidData, "\(place): expected a JSON array of token ids, found \(value.name) in it")
            }
            return id
        }
    }

    private func array(_ ids: [Int32]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for (index, id) in ids.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += String(id).utf8
        }
        return bytes + [UInt8(ascii: "]"), UInt8(ascii: "\n")]
    }

    private func quoted(_ bytes: [UInt8], _ place: String) throws -> [UInt8] {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SEDDError(
                .invalidData, "\(place): the ids decode to bytes that are not UTF-8; decode them without --jsonl")
        }
        return try JSON.encode(text) + [UInt8(ascii: "\n")]
    }

    private func write(_ bytes: [UInt8]) throws { try StandardOutput.write(bytes) }
}
