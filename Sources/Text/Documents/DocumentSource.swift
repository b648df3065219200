import Files
import Foundation

/// A stretch of a document, in reading order.
struct DocumentPart {
    /// UTF-8, valid until the next part is asked for; tokenizing part by part gives the ids of the whole document. Empty
    /// only where nothing but the end of the document is left to tell.
    let bytes: UnsafeBufferPointer<UInt8>
    /// Whether the document ends here.
    let endsDocument: Bool
}

/// The documents of one file, a part at a time, in memory that does not grow with the file.
///
/// A document is a text of its own: a row of a JSON file, what stands between two `<|endoftext|>` of a plain text, or all of
/// a plain text without them. Empty documents are left out.
protocol DocumentSource: AnyObject {
    /// Whether the ends of documents were written in the file, as rows or by marks; else the file is one document, and
    /// nothing is put at its end where the tokenizer has no end of text.
    var marksEnds: Bool { get }
    /// What was left out or replaced so far.
    var notes: TextNotes { get }
    /// Bytes of the file that were read so far, for a person who waits.
    var bytesRead: Int { get }
    /// The size of the file when it was opened, in bytes.
    var size: Int { get }

    /// The next part, nil after the last.
    /// - Parameter cut: the length of the prefix that may be tokenized by itself, whatever follows.
    /// - Throws: `missingInput` when reading fails; `invalidData`, such as for a long run without a place to cut.
    func next(cut: (UnsafeBufferPointer<UInt8>) -> Int) throws(TextError) -> DocumentPart?

    /// An error about the last part, with its place in the file.
    func located(_ error: TextError) -> TextError
}

/// How a text file says where a document ends.
enum DocumentMark {
    static let text = "<|endoftext|>"
    static let bytes = Array(text.utf8)

    /// The first mark from `start` on.
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

    /// How many bytes at the end may be the beginning of a mark.
    static func overlap(atEndOf buffer: UnsafeBufferPointer<UInt8>) -> Int {
        (1..<bytes.count).last {
            $0 <= buffer.count && buffer[(buffer.count - $0)...].elementsEqual(bytes.prefix($0))
        } ?? 0
    }
}

/// What a reader of texts left out or replaced, to be told once.
struct TextNotes: Equatable, Sendable {
    /// Whether the file began with a byte order mark.
    var byteOrderMark = false
    /// Carriage returns before line feeds, left out.
    var carriageReturns = 0
    /// Rows of JSON in which half of a surrogate pair became U+FFFD.
    var surrogates = 0
    /// Rows without any text, left out.
    var emptyRows = 0

    /// A sentence for each thing that happened.
    var lines: [String] {
        func counted(_ count: Int, _ one: String, _ many: String) -> String? {
            count == 0 ? nil : count == 1 ? "1 \(one)" : "\(count) \(many)"
        }
        return [
            byteOrderMark ? "a byte order mark was left out" : nil,
            counted(carriageReturns, "line end CR LF was read as LF", "line ends CR LF were read as LF"),
            counted(
                surrogates, "row had half of a surrogate pair, which became U+FFFD",
                "rows had half of a surrogate pair, which became U+FFFD"),
            counted(emptyRows, "row without text was left out", "rows without text were left out"),
        ].compactMap { $0 }
    }
}
