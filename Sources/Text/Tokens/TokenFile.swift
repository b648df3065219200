public import Files
public import Foundation

/// Token ids in a file: opening is immediate, and reads touch only what they need.
public struct TokenFile: Sendable {
    /// Number of ids, at least 1.
    public let count: Int
    /// Every id is in 0..<`vocabularySize`; reading another one is an error.
    public let vocabularySize: Int
    /// Fingerprint of the tokenizer that produced the ids; nil if the file does not have one.
    public let fingerprint: String?
    /// The path, for messages.
    public let path: String
    /// Positions where documents begin, ascending. Empty if the file does not record them.
    private(set) var documentStarts: [Int] = []
    /// What was omitted from or replaced in the text.
    private(set) var notes = TextNotes()

    private let file: RandomAccessFile
    private let width: Int
    private let start: Int

    /// Opens a token file written by `TokenFileBuilder`.
    /// - Throws: `missingInput`; `invalidData` if it is not a token file, is truncated, or has no ids.
    public init(_ url: URL) throws(TextError) {
        file = try Self.opened(url)
        let header = try TokenFileHeader(
            file.bytes(0..<min(file.count, TokenFileHeader.size)), fileSize: file.count, source: url.path)
        guard header.count > 0 else {
            throw TextError(.invalidData, "no tokens", source: url.path, remedy: "build it from a text that has some")
        }
        count = header.count
        vocabularySize = header.vocabularySize
        fingerprint = header.fingerprint
        path = url.path
        width = header.width
        start = header.headerSize
        notes = header.notes
        documentStarts = try Self.documents(header, file)
    }

    /// - Throws: `missingInput`; `invalidData` if the file is empty.
    static func opened(_ url: URL) throws(TextError) -> RandomAccessFile {
        let file = try RandomAccessFile(url)
        guard file.count > 0 else {
            throw TextError(.invalidData, "empty file", source: url.path, remedy: "give a file with tokens")
        }
        return file
    }

    /// Opens a `.bin` file for a tokenizer: this project's format, llm.c's, or 16-bit ids without a header (nanoGPT).
    /// - Throws: `missingInput`; `invalidData` for a file of another kind or tokenizer, or a truncated one.
    public init(binary url: URL, tokenizer: any Tokenizer) throws(TextError) {
        self = try BinaryTokenFile.open(url, tokenizer: tokenizer)
    }

    /// Opens a file of another program, whose ids begin at byte `start`.
    init(_ file: RandomAccessFile, width: Int, start: Int, count: Int, vocabularySize: Int) {
        self.file = file
        self.width = width
        self.start = start
        self.count = count
        self.vocabularySize = vocabularySize
        fingerprint = nil
        path = file.path
    }

    private static func documents(_ header: TokenFileHeader, _ file: RandomAccessFile) throws(TextError) -> [Int] {
        let table = try file.bytes(header.tableOffset..<(header.tableOffset + 8 * header.documents))
        var starts: [Int] = []
        starts.reserveCapacity(header.documents)
        for index in 0..<header.documents {
            let number = table[(8 * index)..<(8 * index + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard let place = Int(exactly: number), (place < header.count), place > starts.last ?? -1 else {
                throw TextError(
                    .invalidData, "document \(index) begins at token \(number), which is not after the one before",
                    source: file.path, remedy: "delete it and build it again from the text")
            }
            starts.append(place)
        }
        return starts
    }

    /// Reads all ids once to check that they are in the vocabulary and, if the file does not record document starts, to
    /// derive them from ends of text.
    /// - Throws: `invalidData` that names the first id outside the vocabulary.
    func checked(endOfText: Int32?) throws(TextError) -> TokenFile {
        var starts: [Int] = documentStarts.isEmpty ? [0] : []
        var buffer = [Int64](repeating: 0, count: min(count, 1 << 16))
        let finds = documentStarts.isEmpty
        for place in stride(from: 0, to: count, by: buffer.count) {
            let length = min(buffer.count, count - place)
            try buffer.withUnsafeMutableBufferPointer { ids throws(TextError) in
                try copy(place..<(place + length), into: ids)
                guard finds, let end = endOfText.map(Int64.init) else { return }
                for index in 0..<length where ids[index] == end && place + index + 1 < count {
                    // Consecutive ends of text enclose no document.
                    if starts.last == place + index { starts.removeLast() }
                    starts.append(place + index + 1)
                }
            }
        }
        var checked = self
        if finds { checked.documentStarts = starts }
        return checked
    }

    /// Copies the ids of `range` to the start of `target`.
    /// - Throws: `usage` if the range is outside the file or the target is too small; `invalidData` with the position
    ///   of an id outside the vocabulary, or if the file has been truncated.
    public func copy(_ range: Range<Int>, into target: UnsafeMutableBufferPointer<Int64>) throws(TextError) {
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw TextError(
                .usage, "tokens \(range) of \(count)", source: path, remedy: "choose a range within the file")
        }
        guard range.count <= target.count else {
            throw TextError(
                .usage, "\(range.count) tokens into room for \(target.count)", source: path, remedy: "give more room")
        }
        switch width {
        case 1: try copy(UInt8.self, range, into: target)
        case 2: try copy(UInt16.self, range, into: target)
        default: try copy(UInt32.self, range, into: target)
        }
    }

    private func copy<ID: FixedWidthInteger & UnsignedInteger>(
        _: ID.Type, _ range: Range<Int>, into target: UnsafeMutableBufferPointer<Int64>
    ) throws(TextError) {
        guard !range.isEmpty else { return }
        let size = MemoryLayout<ID>.size
        // Ids are read to the end of the target and widened from its start.
        let raw = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: target[..<range.count]))
        let narrow = UnsafeMutableRawBufferPointer(rebasing: raw[(raw.count - range.count * size)...])
        try file.read(into: narrow, at: start + range.lowerBound * size)
        var greatest: ID = 0
        for place in 0..<range.count {
            let id = ID(littleEndian: narrow.loadUnaligned(fromByteOffset: place * size, as: ID.self))
            greatest = max(greatest, id)
            target[place] = Int64(id)
        }
        // A single comparison per copy; the position is searched for only if there is a fault.
        guard greatest >= vocabularySize else { return }
        for (place, index) in range.enumerated() where target[place] >= vocabularySize {
            throw TextError(
                .invalidData, "token \(index) is \(target[place]), and the vocabulary has \(vocabularySize)",
                source: path, remedy: "use the tokenizer that produced the file")
        }
    }

    /// The ids of `range`.
    /// - Throws: like `copy(_:into:)`.
    public func ids(_ range: Range<Int>) throws(TextError) -> [Int32] {
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw TextError(
                .usage, "tokens \(range) of \(count)", source: path, remedy: "choose a range within the file")
        }
        let buffer = UnsafeMutableBufferPointer<Int64>.allocate(capacity: max(range.count, 1))
        defer { buffer.deallocate() }
        try copy(range, into: buffer)
        return buffer.prefix(range.count).map(Int32.init(truncatingIfNeeded:))
    }
}
