import Files
package import Foundation

/// The rows of a JSON file, one at a time: a value per line, or the elements of an array.
package final class JSONRows {
    private let file: URL
    private let buffer: GrowingBuffer
    private let form: Form
    /// Number of the last row, from 1: a line of the file, or an element of the array.
    private var row = 0
    /// Bytes to consume at the next call.
    private var used = 0

    private enum Form { case lines, array }

    /// Whether the file began with a byte order mark.
    let hasByteOrderMark: Bool

    /// - Throws: `missingInput`.
    package init(_ file: URL) throws(TextError) {
        self.file = file
        buffer = try GrowingBuffer(file)
        try buffer.fill()
        hasByteOrderMark = buffer.skip([0xEF, 0xBB, 0xBF])
        // `.json` files with lines and `.jsonl` files with arrays both occur: the first character decides.
        let first = buffer.content.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        form = first == UInt8(ascii: "[") ? .array : .lines
        if form == .array {
            _ = try buffer.skipSpace()
            buffer.consume(1)
        }
    }

    var size: Int { buffer.size }
    var bytesRead: Int { buffer.consumed + used }

    /// Name of the last row, for messages.
    package var place: String { "\(file.path), \(form == .lines ? "line" : "row") \(row)" }

    /// The next row in UTF-8, valid until the following one is requested; nil after the last.
    /// - Throws: `missingInput` if reading fails; `invalidData` for invalid UTF-8, or a malformed array.
    package func next() throws(TextError) -> UnsafeBufferPointer<UInt8>? {
        buffer.consume(used)
        used = 0
        guard let found = form == .lines ? try nextLine() : try nextMember() else { return nil }
        if let offset = UTF8Bytes.firstInvalid(in: found) {
            throw UTF8Bytes.invalid(at: buffer.consumed + offset).located(in: file.path)
        }
        return found
    }

    /// An error in the last row.
    func failure(_ fault: JSONFault) -> TextError { failure(fault.problem, at: fault.byteOffset) }

    private func failure(_ problem: String, at offset: Int) -> TextError {
        TextError(
            .invalidData, problem, source: place, byteOffset: buffer.consumed + offset,
            remedy: "write {\"text\": ...} or a string for each document, or give a plain text under another extension")
    }

    /// The next nonblank line.
    private func nextLine() throws(TextError) -> UnsafeBufferPointer<UInt8>? {
        while let line = try buffer.line() {
            row += 1
            if line.content.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
                buffer.consume(line.length)
                continue
            }
            used = line.length
            return line.content
        }
        return nil
    }

    private func nextMember() throws(TextError) -> UnsafeBufferPointer<UInt8>? {
        var byte = try buffer.skipSpace()
        if byte == UInt8(ascii: "]") {
            buffer.consume(1)
            guard try buffer.skipSpace() == nil else {
                throw failure("expected the end, found more after the array", at: 0)
            }
            return nil
        }
        if row > 0 {
            guard byte == UInt8(ascii: ",") else {
                throw failure("expected ',' or ']' after it", at: 0)
            }
            buffer.consume(1)
            byte = try buffer.skipSpace()
        }
        row += 1
        while true {
            var scanner = JSONScanner(buffer.content, loneSurrogates: .replaced)
            do throws(JSONFault) {
                try RowText.skip(&scanner, depth: 0)
                used = scanner.place
                return UnsafeBufferPointer(rebasing: buffer.content[..<scanner.place])
            } catch {
                // A fault at the end of the buffer may be resolved by more input: no word or escape has 16 bytes.
                guard !buffer.isComplete, error.byteOffset + 16 > buffer.content.count else { throw failure(error) }
            }
            try buffer.fill()
        }
    }
}
