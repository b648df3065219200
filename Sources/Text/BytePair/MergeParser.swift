import Files

/// Reads `merges.txt` (or `vocab.bpe`): one merge per line in order of priority, after an optional version line.
enum MergeParser {
    /// - Throws: `invalidData` with the line number: not two tokens, a token or result missing from the vocabulary, or
    ///   a repeated merge.
    static func parse(
        _ text: [UInt8], source: String, vocabulary: VocabularyIndex
    ) throws(TextError) -> MergeTable {
        do throws(TextError) {
            try text.withUnsafeBufferPointer { bytes throws(TextError) in try UTF8Bytes.validate(bytes) }
        } catch {
            throw error.located(in: source)
        }
        var table = MergeTable(capacity: text.lazy.filter { $0 == UInt8(ascii: "\n") }.count + 1)
        var merged: [UInt8] = []
        var number = 0
        try text.withUnsafeBufferPointer { bytes throws(TextError) in
            var start = 0
            while start < bytes.count {
                var end = start
                while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
                defer { start = end + 1 }
                number += 1
                var line = UnsafeBufferPointer(rebasing: bytes[start..<end])
                if line.last == UInt8(ascii: "\r") { line = UnsafeBufferPointer(rebasing: line.dropLast()) }
                if line.isEmpty || (number == 1 && line.starts(with: "#version".utf8)) { continue }
                func failure(_ problem: String) -> TextError {
                    TextError(
                        .invalidData, "line \(number), '\(String(decoding: line, as: UTF8.self))': \(problem)",
                        source: source, remedy: "use the merges and the vocabulary of one tokenizer")
                }
                guard let space = line.firstIndex(of: UInt8(ascii: " ")), space > 0, space + 1 < line.count,
                    !line[(space + 1)...].contains(UInt8(ascii: " "))
                else { throw failure("expected two tokens and a space between them") }
                merged.removeAll(keepingCapacity: true)
                guard ByteAlphabet.append(UnsafeBufferPointer(rebasing: line[..<space]), to: &merged) else {
                    throw failure("a character encodes no byte")
                }
                let boundary = merged.count
                guard ByteAlphabet.append(UnsafeBufferPointer(rebasing: line[(space + 1)...]), to: &merged) else {
                    throw failure("a character encodes no byte")
                }
                let (left, right, result) = merged.withUnsafeBufferPointer { buffer in
                    (
                        vocabulary.id(of: UnsafeBufferPointer(rebasing: buffer[..<boundary])),
                        vocabulary.id(of: UnsafeBufferPointer(rebasing: buffer[boundary...])),
                        vocabulary.id(of: buffer)
                    )
                }
                guard let left else { throw failure("the vocabulary lacks the first token") }
                guard let right else { throw failure("the vocabulary lacks the second token") }
                guard let result else { throw failure("the vocabulary lacks the result of the merge") }
                guard table.results.count < MergeTable.greatestCount else { throw failure("too many merges") }
                guard table.append(left, right, to: result) else { throw failure("the merge is repeated") }
            }
        }
        return table
    }
}
