import Files
import Foundation

/// The rows of a corpus file: its lines, or the texts of a JSON file.
struct TextRows {
    /// How lines become rows.
    enum Lines: Sendable {
        /// A row with its line end; an empty row if it contains only white space.
        case kept
        /// A row with white space trimmed.
        case trimmed
        /// The file is one row.
        case none
    }

    let rows: [String]
    /// What was omitted or replaced.
    private(set) var notes = TextNotes()

    /// - Throws: `missingInput`; `invalidData` for a file that is empty or not UTF-8, or JSON with a row without text.
    init(_ file: URL, lines: Lines) throws(TextError) {
        switch DocumentReader.form(of: file) {
        case .plain: break
        case .json:
            (rows, notes) = try Self.jsonRows(file)
            return
        case .tokens: throw DocumentReader.tokens(file)
        }
        var bytes = try FileSystem.contents(of: file, limit: 1 << 32)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            bytes.removeFirst(3)
            notes.byteOrderMark = true
        }
        guard !bytes.isEmpty else {
            throw TextError(.invalidData, "empty file", source: file.path, remedy: "give a text")
        }
        let offset = bytes.withUnsafeBufferPointer { UTF8Bytes.firstInvalid(in: $0) }
        if let offset {
            throw UTF8Bytes.invalid(at: offset + (notes.byteOrderMark ? 3 : 0)).located(in: file.path)
        }
        rows = Self.lineRows(bytes, lines)
    }

    private static func lineRows(_ bytes: [UInt8], _ lines: Lines) -> [String] {
        guard lines != .none else { return [String(decoding: bytes, as: UTF8.self)] }
        var parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // Text after the last line end is a line only if it is not empty.
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

    private static func jsonRows(_ file: URL) throws(TextError) -> ([String], TextNotes) {
        let source = try JSONRows(file)
        var rows: [String] = []
        var notes = TextNotes(byteOrderMark: source.hasByteOrderMark)
        while let row = try source.next() {
            var scanner = JSONScanner(row, loneSurrogates: .replaced)
            do throws(JSONFault) {
                rows.append(String(decoding: try RowText.read(&scanner), as: UTF8.self))
                try scanner.expectEnd()
            } catch {
                throw source.failure(error)
            }
            if scanner.hasReplaced { notes.surrogates += 1 }
        }
        guard !rows.isEmpty else {
            throw TextError(.invalidData, "no rows", source: file.path, remedy: "write one {\"text\": ...} per line")
        }
        return (rows, notes)
    }
}
