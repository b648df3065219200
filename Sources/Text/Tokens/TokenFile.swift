public import Files
public import Foundation

/// Token ids in a file, mapped into memory: opening takes no time and reading takes what it touches.
public struct TokenFile: Sendable {
    /// Number of ids, never 0.
    public let count: Int
    /// Every id lies in 0..<`vocabularySize`; reading one that does not is an error.
    public let vocabularySize: Int
    /// The fingerprint of the tokenizer that made the ids, nil for a file without header.
    public let fingerprint: String?
    /// The path, for messages.
    public let path: String

    private let file: MappedFile
    private let width: Int
    private let start: Int

    /// Opens a token file as `TokenFileBuilder` writes it.
    /// - Throws: `missingInput`; `invalidData` when it is no token file, truncated, or without ids.
    public init(_ url: URL) throws(TextError) {
        file = try MappedFile(url)
        let header = try file.withBytes { bytes throws(TextError) in
            try TokenFileHeader(bytes, source: url.path)
        }
        guard header.count > 0 else {
            throw TextError(.invalidData, "no tokens", source: url.path, remedy: "build it from a text that has some")
        }
        count = header.count
        vocabularySize = header.vocabularySize
        fingerprint = header.fingerprint
        path = url.path
        width = header.width
        start = TokenFileHeader.size
    }

    /// Opens a file of little-endian 16-bit ids without header, as nanoGPT writes its `.bin` files.
    /// - Throws: `missingInput`; `invalidData` when it is empty or its size is odd.
    public init(rawUInt16 url: URL, vocabularySize: Int) throws(TextError) {
        file = try MappedFile(url)
        guard file.count.isMultiple(of: 2) else {
            throw TextError(
                .invalidData, "\(file.count) bytes, an odd number, are no 16-bit token ids", source: url.path,
                remedy: "give a whole .bin file, or a text under another extension")
        }
        count = file.count / 2
        self.vocabularySize = vocabularySize
        fingerprint = nil
        path = url.path
        width = 2
        start = 0
    }

    /// Opens a `.bin` file of either form for use with a tokenizer.
    /// - Throws: also `invalidData` when the header names another tokenizer.
    public init(binary url: URL, tokenizer: any Tokenizer) throws(TextError) {
        let file = try MappedFile(url)
        guard try file.withBytes({ bytes throws(TextError) in TokenFileHeader.isPresent(in: bytes) }) else {
            try self.init(rawUInt16: url, vocabularySize: tokenizer.vocabularySize)
            return
        }
        try self.init(url)
        guard fingerprint == tokenizer.fingerprint, vocabularySize == tokenizer.vocabularySize else {
            throw TextError(
                .invalidData,
                "made by another tokenizer (\(fingerprint ?? "unknown"); expected "
                    + "\(tokenizer.fingerprint))", source: path,
                remedy: "use the tokenizer that made it, or build it again from the text")
        }
    }

    /// Copies the ids of `range` to the start of `target`.
    /// - Throws: `usage` when the range is not within the file or the target is too small; `invalidData` naming the
    ///   position of an id that is not in the vocabulary.
    public func copy(_ range: Range<Int>, into target: UnsafeMutableBufferPointer<Int64>) throws(TextError) {
        try check(range)
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

    private func check(_ range: Range<Int>) throws(TextError) {
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw TextError(
                .usage, "tokens \(range) of \(count)", source: path, remedy: "ask for tokens that are there")
        }
    }

    private func copy<ID: FixedWidthInteger & UnsignedInteger>(
        _: ID.Type, _ range: Range<Int>, into target: UnsafeMutableBufferPointer<Int64>
    ) throws(TextError) {
        let greatest = try file.withBytes { bytes throws(TextError) in
            var greatest: ID = 0
            var offset = start + range.lowerBound * MemoryLayout<ID>.size
            for place in 0..<range.count {
                let id = ID(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: ID.self))
                target[place] = Int64(id)
                greatest = max(greatest, id)
                offset += MemoryLayout<ID>.size
            }
            return greatest
        }
        // One comparison a copy; the search for the place only when there is something to find.
        guard greatest >= vocabularySize else { return }
        for (place, index) in range.enumerated() where target[place] >= vocabularySize {
            throw TextError(
                .invalidData, "token \(index) is \(target[place]), and the vocabulary has \(vocabularySize)",
                source: path, remedy: "use the tokenizer that made the file")
        }
    }

    /// The ids of `range`.
    /// - Throws: as `copy(_:into:)`.
    public func ids(_ range: Range<Int>) throws(TextError) -> [Int32] {
        try check(range)
        let buffer = UnsafeMutableBufferPointer<Int64>.allocate(capacity: max(range.count, 1))
        defer { buffer.deallocate() }
        try copy(range, into: buffer)
        return buffer.prefix(range.count).map(Int32.init(truncatingIfNeeded:))
    }
}
