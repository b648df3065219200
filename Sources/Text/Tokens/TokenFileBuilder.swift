public import Files
public import Foundation

/// Encodes a text file into a token file, in bounded memory.
public struct TokenFileBuilder: Sendable {
    /// Progress through a file.
    public struct Progress: Sendable, Equatable {
        /// The path of the text file.
        public let file: String
        /// Bytes read so far.
        public let bytesDone: Int
        /// Size of the file.
        public let bytesTotal: Int
    }

    /// Number of ids written at once.
    private static let batch = 1 << 16

    /// The tokenizer.
    public let tokenizer: any Tokenizer

    /// Creates a builder.
    public init(tokenizer: any Tokenizer) { self.tokenizer = tokenizer }

    /// Encodes the documents of `text` and writes `target` atomically.
    ///
    /// The tokenizer's end of text follows each document. If it has none, files that record document ends get a line
    /// end instead, unless the document ends in one.
    ///
    /// A run of `TextReader.defaultCapacity` bytes (2 MiB) that the tokenizer cannot cut is refused, to bound memory:
    /// with GPT-2's tokenizer, that many letters without a space, digit or symbol.
    /// - Parameter progress: called from time to time on the calling thread.
    /// - Throws: `missingInput`; `invalidData` (empty file, invalid UTF-8, a character outside the alphabet, a run
    ///   without a cut, a row without text) with file and position; `cannotWrite`, for instance on a full disk.
    public func build(
        from text: URL, to target: URL, progress: (Progress) -> Void = { _ in }
    ) throws(TextError) {
        try build(DocumentReader.open(text), named: text.path, to: OutputFile(target), progress: progress)
    }

    func build(
        _ source: any DocumentSource, named name: String, to output: OutputFile, progress: (Progress) -> Void
    ) throws(TextError) {
        var header = TokenFileHeader(
            count: 0, vocabularySize: tokenizer.vocabularySize, fingerprint: tokenizer.fingerprint)
        try write(header, to: output, at: nil)
        // The substitute for an end of text; nil if the alphabet lacks it.
        let lineEnd = try? tokenizer.encode("\n")
        var ids: [Int32] = []
        var starts: [Int] = []
        var isOpen = false
        var last: UInt8?
        while let part = try source.next(cut: tokenizer.safeCut) {
            if !isOpen { starts.append(header.count + ids.count) }
            do throws(TextError) {
                try tokenizer.encode(utf8: part.bytes, into: &ids)
            } catch {
                throw source.located(error)
            }
            last = part.bytes.last ?? last
            if part.endsDocument {
                if let end = tokenizer.endOfText {
                    ids.append(end)
                } else if source.marksEnds, last != UInt8(ascii: "\n") {
                    guard let lineEnd else { throw source.located(Self.noLineEnd) }
                    ids += lineEnd
                }
            }
            isOpen = !part.endsDocument
            guard ids.count >= Self.batch else { continue }
            try write(ids, header.width, to: output)
            header.count += ids.count
            ids.removeAll(keepingCapacity: true)
            progress(Progress(file: name, bytesDone: source.bytesRead, bytesTotal: source.size))
        }
        try write(ids, header.width, to: output)
        header.count += ids.count
        progress(Progress(file: name, bytesDone: source.bytesRead, bytesTotal: source.size))
        guard header.count > 0 else {
            throw TextError(.invalidData, "empty file", source: name, remedy: "give a text")
        }
        header.documents = starts.count
        header.notes = source.notes
        try write(starts.map { UInt64($0).littleEndian }, to: output)
        // The counts are known only now.
        try write(header, to: output, at: 0)
        try output.commit()
    }

    private static let noLineEnd = TextError(
        .invalidData, "documents are separated by line ends, which the alphabet does not contain",
        remedy: "build the alphabet from the documents, or use a tokenizer with an end of text")

    private func write(_ header: TokenFileHeader, to output: OutputFile, at place: Int?) throws(TextError) {
        try header.bytes.withUnsafeBufferPointer { bytes throws(TextError) in
            try output.write(UnsafeRawBufferPointer(bytes), at: place)
        }
    }

    private func write(_ ids: [Int32], _ width: Int, to output: OutputFile) throws(TextError) {
        switch width {
        case 1: try write(ids.map { UInt8(truncatingIfNeeded: $0) }, to: output)
        case 2: try write(ids.map { UInt16(truncatingIfNeeded: $0).littleEndian }, to: output)
        default: try write(ids.map { UInt32(truncatingIfNeeded: $0).littleEndian }, to: output)
        }
    }

    private func write<Number: FixedWidthInteger>(_ numbers: [Number], to output: OutputFile) throws(TextError) {
        try numbers.withUnsafeBufferPointer { buffer throws(TextError) in
            try output.write(UnsafeRawBufferPointer(buffer))
        }
    }
}
