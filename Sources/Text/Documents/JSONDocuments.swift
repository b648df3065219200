import Files
import Foundation

/// The documents of a JSON file: each row is an object with a `text`, or a string.
final class JSONDocuments: DocumentSource {
    let marksEnds = true
    private(set) var notes = TextNotes()

    private let rows: JSONRows
    /// Buffer for the text of a row.
    private var text: UnsafeMutableBufferPointer<UInt8> = .allocate(capacity: 1 << 12)

    /// - Throws: `missingInput`.
    init(_ file: URL) throws(TextError) {
        rows = try JSONRows(file)
        notes.byteOrderMark = rows.hasByteOrderMark
    }

    deinit { text.deallocate() }

    var size: Int { rows.size }
    var bytesRead: Int { rows.bytesRead }

    func next(cut _: (UnsafeBufferPointer<UInt8>) -> Int) throws(TextError) -> DocumentPart? {
        while let row = try rows.next() {
            var scanner = JSONScanner(row, loneSurrogates: .replaced)
            let found: [UInt8]
            do throws(JSONFault) {
                found = try RowText.read(&scanner)
                try scanner.expectEnd()
            } catch {
                throw rows.failure(error)
            }
            if scanner.hasReplaced { notes.surrogates += 1 }
            if found.isEmpty {
                notes.emptyRows += 1
            } else {
                return DocumentPart(bytes: kept(found), endsDocument: true)
            }
        }
        return nil
    }

    func located(_ error: TextError) -> TextError {
        TextError(error.kind, error.problem, source: rows.place, remedy: error.remedy)
    }

    /// Copies a text to where it stays until the next one.
    private func kept(_ found: [UInt8]) -> UnsafeBufferPointer<UInt8> {
        if found.count > text.count {
            text.deallocate()
            text = .allocate(capacity: max(found.count, 2 * text.count))
        }
        _ = text.update(fromContentsOf: found)
        return UnsafeBufferPointer(rebasing: text[..<found.count])
    }
}
