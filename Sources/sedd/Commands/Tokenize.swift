import ArgumentParser
import Files
import Foundation
import SEDD
import Text

struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Text on stdin to token ids on stdout, or back.",
        discussion: """
            All of stdin is one text, its ids one JSON array; with --jsonl each line in is a JSON string, each line out a \
            JSON array of ids. --decode goes the other way.

            Examples:
              echo -n 'Hello world' | sedd tokenize --tokenizer gpt2:models/gpt2
              echo '[15496,995]' | sedd tokenize --tokenizer gpt2:models/gpt2 --decode
            """)

    @Option(help: ArgumentHelp("byte, characters:FILE or gpt2:DIR.", valueName: "tokenizer")) var tokenizer: String
    @Flag(help: "From ids to text.") var decode = false
    @Flag(help: "One JSON value a line.") var jsonl = false

    func run() throws {
        let tokenizer = try TokenizerSpecification(tokenizer).load()
        let input = Data(try StandardInput.read())
        guard jsonl else {
            if decode {
                try write(tokenizer.decode(ids(input, "stdin")))
            } else {
                try write(array(tokenizer.encode(utf8: [UInt8](input))))
            }
            return
        }
        for (index, line) in input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if line.isEmpty { continue }
            let place = "line \(index + 1)"
            do {
                try write(
                    decode
                        ? quoted(tokenizer.decode(ids(line, place)), place) : array(tokenizer.encode(text(line, place)))
                )
            } catch let error as TextError {
                throw SEDDError(.invalidData, "\(place): \(error.description)")
            }
        }
    }

    private func text(_ line: Data, _ place: String) throws -> String {
        guard let text = try? JSONDecoder().decode(String.self, from: line) else {
            throw SEDDError(.invalidData, "\(place): expected a JSON string")
        }
        return text
    }

    private func ids(_ data: Data, _ place: String) throws -> [Int32] {
        guard let ids = try? JSONDecoder().decode([Int32].self, from: data) else {
            throw SEDDError(.invalidData, "\(place): expected a JSON array of token ids")
        }
        return ids
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
                .invalidData, "\(place): the ids decode to bytes that are no UTF-8; decode them without --jsonl")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return [UInt8](try encoder.encode(text)) + [UInt8(ascii: "\n")]
    }

    private func write(_ bytes: [UInt8]) throws { try StandardOutput.write(bytes) }
}
