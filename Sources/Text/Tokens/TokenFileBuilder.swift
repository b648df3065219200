public import Files
public import Foundation

/// Turns a text file of any size into a token file, in memory that does not grow with it.
public struct TokenFileBuilder: Sendable {
    /// How far a file has been read.
    public struct Progress: Sendable, Equatable {
        /// The path of the text file.
        public let file: String
        public let bytesDone: Int
        public let bytesTotal: Int
    }

    public let tokenizer: any Tokenizer

    public init(tokenizer: any Tokenizer) { self.tokenizer = tokenizer }

    /// Encodes `text`, which must be UTF-8, and writes `target`, whole or not at all.
    ///
    /// A run of `TextReader.defaultCapacity` bytes (2 MiB) that the tokenizer cannot cut is refused, so that memory
    /// stays bounded: with GPT-2's, that many letters without a space, digit or symbol between them.
    /// - Parameter progress: called on this thread after each part of some MiB.
    /// - Throws: `missingInput`; `invalidData` (empty file, invalid UTF-8, a character outside the alphabet, a run
    ///   without a cut), naming the file and the byte; `cannotWrite`, such as for a full disk.
    public func build(
        from text: URL, to target: URL, progress: (Progress) -> Void = { _ in }
    ) throws(TextError) {
        try build(TextReader(text), to: OutputFile(target), progress: progress)
    }

    func build(_ reader: TextReader, to output: OutputFile, progress: (Progress) -> Void) throws(TextError) {
        var header = TokenFileHeader(
            count: 0, vocabularySize: tokenizer.vocabularySize, fingerprint: tokenizer.fingerprint)
        try write(header, to: output)
        var ids: [Int32] = []
        while let chunk = try reader.next(cut: tokenizer.safeCut) {
            ids.removeAll(keepingCapacity: true)
            do throws(TextError) {
                try tokenizer.encode(utf8: chunk.bytes, into: &ids)
            } catch {
                throw error.located(in: reader.file.path, from: chunk.start)
            }
            switch header.width {
            case 1: try write(ids, as: UInt8.self, to: output)
            case 2: try write(ids, as: UInt16.self, to: output)
            default: try write(ids, as: UInt32.self, to: output)
            }
            header.count += ids.count
            let done = chunk.start + chunk.bytes.count
            progress(Progress(file: reader.file.path, bytesDone: done, bytesTotal: max(done, reader.size)))
        }
        guard header.count > 0 else {
            throw TextError(.invalidData, "empty file", source: reader.file.path, remedy: "give a text")
        }
        // The count was not known before.
        try write(header, to: output)
        try output.commit()
    }

    private func write(_ header: TokenFileHeader, to output: OutputFile) throws(TextError) {
        try header.bytes.withUnsafeBufferPointer { bytes throws(TextError) in
            try output.write(UnsafeRawBufferPointer(bytes), at: header.count == 0 ? nil : 0)
        }
    }

    private func write<ID: FixedWidthInteger & UnsignedInteger>(
        _ ids: [Int32], as _: ID.Type, to output: OutputFile
    ) throws(TextError) {
        let narrow = ids.map { ID(truncatingIfNeeded: $0).littleEndian }
        try narrow.withUnsafeBufferPointer { buffer throws(TextError) in
            try output.write(UnsafeRawBufferPointer(buffer))
        }
    }
}
