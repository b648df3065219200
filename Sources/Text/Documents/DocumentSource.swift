import Files
import Foundation

/// A stretch of a document, in reading order.
struct DocumentPart {
    /// UTF-8, valid until the next part is requested; tokenizing part by part gives the ids of the whole document.
    /// Empty only to signal the end of the document.
    let bytes: UnsafeBufferPointer<UInt8>
    /// Whether the document ends here.
    let endsDocument: Bool
}

/// The documents of one file, part by part, in bounded memory.
///
/// A document is a row of a JSON file, the text between two `<|endoftext|>` of a plain text, or all of a plain text
/// without such marks. Empty documents are skipped.
protocol DocumentSource: AnyObject {
    /// Whether the file states where documents end, as rows or by marks; otherwise the file is one document, and
    /// nothing is appended to it if the tokenizer has no end of text.
    var marksEnds: Bool { get }
    /// What has been omitted or replaced so far.
    var notes: TextNotes { get }
    /// Bytes read so far, for progress reports.
    var bytesRead: Int { get }
    /// The size of the file when it was opened, in bytes.
    var size: Int { get }

    /// The next part, nil after the last.
    /// - Parameter cut: returns the length of the prefix that may be tokenized on its own, whatever follows.
    /// - Throws: `missingInput` if reading fails; `invalidData`, for instance for a long run without a cut.
    func next(cut: (UnsafeBufferPointer<UInt8>) -> Int) throws(TextError) -> DocumentPart?

    /// An error in the last part, located in the file.
    func located(_ error: TextError) -> TextError
}

/// The end-of-document mark of a text file.
enum DocumentMark {
    static let text = "<|endoftext|>"
    static let bytes = Array(text.utf8)

    /// The first mark at or after `start`.
    static func first(in buffer: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = start
        while index + bytes.count <= buffer.count, let base = buffer.baseAddress,
            let found = memchr(base + index, Int32(bytes[0]), buffer.count - bytes.count + 1 - index)
        {
            index = base.distance(to: found.assumingMemoryBound(to: UInt8.self))
            if memcmp(base + index, bytes, bytes.count) == 0 { return index }
            index += 1
        }
        return nil
    }

    /// Number of bytes at the end that may be the beginning of a mark.
    static func overlap(atEndOf buffer: UnsafeBufferPointer<UInt8>) -> Int {
        (1..<bytes.count).last {
            $0 <= buffer.count && buffer[(buffer.count - $0)...].elementsEqual(bytes.prefix($0))
        } ?? 0
    }
}

/// What a text reader has omitted or replaced, to be reported once.
struct TextNotes: Equatable, Sendable {
    /// Whether the file began with a byte order mark.
    var byteOrderMark = false
    /// Carriage returns before line feeds, removed.
    var carriageReturns = 0
    /// JSON rows in which an unpaired surrogate became U+FFFD.
    var surrogates = 0
    /// Empty rows, skipped.
    var emptyRows = 0

    /// One sentence per kind of change.
    var lines: [String] {
        func counted(_ count: Int, _ one: String, _ many: String) -> String? {
            count == 0 ? nil : count == 1 ? "1 \(one)" : "\(count) \(many)"
        }
        return [
            byteOrderMark ? "a byte order mark was left out" : nil,
            counted(carriageReturns, "line end CR LF was read as LF", "line ends CR LF were read as LF"),
            counted(
                surrogates, "row had an unpaired surrogate, which became U+FFFD",
                "rows had an unpaired surrogate, which became U+FFFD"),
            counted(emptyRows, "row without text was left out", "rows without text were left out"),
        ].compactMap { $0 }
    }
}
