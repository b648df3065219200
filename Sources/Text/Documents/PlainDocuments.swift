import Files
import Foundation

/// The documents of a plain text: the text between two `<|endoftext|>`, or all of it.
///
/// An initial byte order mark is removed, CR LF is read as LF, and line ends around a mark belong to the mark.
final class PlainDocuments: DocumentSource {
    private(set) var marksEnds = false
    private let file: URL
    private let reader: LineEndReader
    /// The prefix of the reader's content that contains no mark.
    private var searched = 0
    private var partPosition = 0
    /// Whether following line ends belong to a mark.
    private var followsMark = false
    /// Whether part of the document has been returned.
    private var hasBegun = false
    private var isFinished = false

    /// - Parameter capacity: buffer size in bytes; also the longest run without a cut.
    /// - Throws: `missingInput`.
    init(_ file: URL, capacity: Int = TextReader.defaultCapacity) throws(TextError) {
        self.file = file
        reader = try LineEndReader(file, capacity: capacity)
    }

    var size: Int { reader.size }
    var bytesRead: Int { reader.bytesRead - reader.content.count }
    var notes: TextNotes {
        TextNotes(byteOrderMark: reader.byteOrderMark, carriageReturns: reader.carriageReturns)
    }

    func next(cut: (UnsafeBufferPointer<UInt8>) -> Int) throws(TextError) -> DocumentPart? {
        while !isFinished {
            skipLineEnds()
            let content = reader.content
            if let mark = DocumentMark.first(in: content, from: searched) {
                if let part = documentEnd(at: mark, length: DocumentMark.bytes.count) {
                    return part
                }
            } else if reader.hasRoom {
                searched = max(0, content.count - DocumentMark.bytes.count + 1)
                try reader.fill()
            } else if reader.isComplete {
                isFinished = true
                if let part = documentEnd(at: content.count, length: 0) { return part }
            } else {
                return try stretch(cut)
            }
        }
        return nil
    }

    func located(_ error: TextError) -> TextError {
        TextError(
            error.kind, error.problem, source: file.path,
            byteOffset: error.byteOffset.map { reader.fileOffset(of: partPosition + $0) }, remedy: error.remedy)
    }

    private func skipLineEnds() {
        guard followsMark else { return }
        let count = reader.content.prefix { $0 == UInt8(ascii: "\n") }.count
        reader.consume(count)
        followsMark = reader.content.isEmpty
        searched = 0
    }

    /// The rest of a document that ends at `end`; nil if the document is empty.
    private func documentEnd(at end: Int, length: Int) -> DocumentPart? {
        let content = reader.content
        marksEnds = marksEnds || length > 0
        var text = content[..<end]
        if marksEnds { while text.last == UInt8(ascii: "\n") { text = text.dropLast() } }
        partPosition = reader.position
        reader.consume(end + length)
        searched = 0
        followsMark = length > 0
        defer { hasBegun = false }
        return hasBegun || !text.isEmpty
            ? DocumentPart(bytes: UnsafeBufferPointer(rebasing: text), endsDocument: true) : nil
    }

    /// The part of a full buffer that can be tokenized on its own.
    private func stretch(_ cut: (UnsafeBufferPointer<UInt8>) -> Int) throws(TextError) -> DocumentPart {
        let content = reader.content
        // What may belong to a mark waits for more input.
        var certain = content.dropLast(DocumentMark.overlap(atEndOf: content))
        while certain.last == UInt8(ascii: "\n") { certain = certain.dropLast() }
        let count = cut(UnsafeBufferPointer(rebasing: certain))
        partPosition = reader.position
        guard count > 0 else { throw located(Self.uncut(content)) }
        reader.consume(count)
        searched = max(0, content.count - DocumentMark.bytes.count + 1 - count)
        hasBegun = true
        return DocumentPart(bytes: UnsafeBufferPointer(rebasing: content[..<count]), endsDocument: false)
    }

    private static func uncut(_ bytes: UnsafeBufferPointer<UInt8>) -> TextError {
        // Invalid UTF-8 is the likelier cause, and the more useful message.
        if let offset = UTF8Bytes.firstInvalid(in: bytes), offset < UTF8Bytes.lastBoundary(in: bytes) {
            return UTF8Bytes.invalid(at: offset)
        }
        return TextError(
            .invalidData,
            "\(bytes.count) bytes without a place to cut (one unbroken run of letters, digits, symbols or spaces)",
            byteOffset: 0, remedy: "break the run with line ends, or use the tokenizer 'byte'")
    }
}
