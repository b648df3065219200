import Files
import Foundation

/// The rows of a file: its lines, or the `text` fields of JSON lines.
struct TextRows {
    /// What a line becomes.
    enum Lines: Sendable {
        /// A row with its line end; nothing where it holds only white space.
        case kept
        /// A row without white space at its ends.
        case trimmed
        /// The file is one row.
        case none
    }

    let rows: [String]

    /// - Throws: `missingInput`; `invalidData` for a file that is empty, no UTF-8, or JSON lines without a `text`.
    init(_ file: URL, lines: Lines) throws(TextError) {
        let bytes = try FileSystem.contents(of: file)
        guard !bytes.isEmpty else {
            throw TextError(.invalidData, "empty file", source: file.path, remedy: "give a text")
        }
        let offset = bytes.withUnsafeBufferPointer { UTF8Bytes.firstInvalid(in: $0) }
        if let offset { throw UTF8Bytes.invalid(at: offset).located(in: file.path) }
        rows =
            Self.isJSONLines(file)
            ? try Self.jsonRows(bytes, file)
            : Self.lineRows(bytes, lines)
    }

    /// Files whose name ends in `.jsonl` hold an object a line.
    static func isJSONLines(_ file: URL) -> Bool { file.pathExtension.lowercased() == "jsonl" }

    private static func lineRows(_ bytes: [UInt8], _ lines: Lines) -> [String] {
        guard lines != .none else { return [String(decoding: bytes, as: UTF8.self)] }
        var parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // What follows the last line end is a line only where there is something.
        if parts.last?.isEmpty == true { parts.removeLast() }
        return parts.enumerated().map { index, part in
            let line = part.last == UInt8(ascii: "\r") ? part.dropLast() : part
            let text = String(decoding: line, as: UTF8.self)
            let trimmed = PythonText.trimmed(Array(text.unicodeScalars))
            if lines == .trimmed { return String(String.UnicodeScalarView(trimmed)) }
            let isEnded = index < parts.count - 1 || bytes.last == UInt8(ascii: "\n")
            return trimmed.isEmpty ? "" : text + (isEnded ? "\n" : "")
        }
    }

    private struct Row: Decodable { let text: String }

    private static func jsonRows(_ bytes: [UInt8], _ file: URL) throws(TextError) -> [String] {
        var rows: [String] = []
        let decoder = JSONDecoder()
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where !line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) {
            guard let row = try? decoder.decode(Row.self, from: Data(line)) else {
                throw TextError(
                    .invalidData, "line \(index + 1) is no JSON object with a 'text'", source: file.path,
                    remedy: "write one {\"text\": ...} a line, or give a plain text under another extension")
            }
            rows.append(row.text)
        }
        guard !rows.isEmpty else {
            throw TextError(.invalidData, "no rows", source: file.path, remedy: "write one {\"text\": ...} a line")
        }
        return rows
    }
}
