import Files
package import Foundation

/// Reads texts for all commands: the only place that knows which files hold one text, which hold rows, and where
/// documents end.
package enum DocumentReader {
    /// The format of a file, by its name.
    package enum Form: Sendable, Equatable {
        /// UTF-8 text; `<|endoftext|>` ends a document.
        case plain
        /// A JSON object with a `text`, or a JSON string, per document: one per line (`.jsonl`, `.ndjson`), or the
        /// elements of an array (`.json`).
        case json
        /// Token ids (`.bin`).
        case tokens
    }

    package static func form(of file: URL) -> Form {
        switch file.pathExtension.lowercased() {
        case "jsonl", "ndjson", "json": .json
        case "bin": .tokens
        default: .plain
        }
    }

    /// Opens a text file.
    static func open(_ file: URL, capacity: Int = TextReader.defaultCapacity) throws(TextError) -> any DocumentSource {
        switch form(of: file) {
        case .plain: return try PlainDocuments(file, capacity: capacity)
        case .json: return try JSONDocuments(file)
        case .tokens: throw tokens(file)
        }
    }

    static func tokens(_ file: URL) -> TextError {
        TextError(.usage, "token ids where a text is needed", source: file.path, remedy: "give the text")
    }

    /// The documents of a file as strings; for a plain text without document marks, its nonblank lines.
    /// - Throws: `missingInput`; `invalidData` for invalid UTF-8, or a row without text.
    package static func texts(of file: URL) throws(TextError) -> (texts: [String], notes: [String]) {
        let source = try open(file)
        var texts: [String] = []
        var document: [UInt8] = []
        while let part = try source.next(cut: UTF8Bytes.lastBoundary) {
            do throws(TextError) {
                try UTF8Bytes.validate(part.bytes)
            } catch {
                throw source.located(error)
            }
            document += part.bytes
            guard part.endsDocument else { continue }
            if source.marksEnds {
                texts.append(String(decoding: document, as: UTF8.self))
            } else {
                texts += document.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
                    .filter { !$0.allSatisfy(\.isWhitespace) }
            }
            document.removeAll(keepingCapacity: true)
        }
        return (texts, source.notes.lines.map { "\(file.path): \($0)" })
    }
}
