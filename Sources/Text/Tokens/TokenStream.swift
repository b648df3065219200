public import Files

/// Tokens of one or more files as a single sequence, or a part of it.
public struct TokenStream: Sendable {
    /// Number of tokens.
    public var count: Int { range.count }

    /// The source of the tokens, for messages: the texts, not the cached files.
    private let sources: [String]
    private let files: [TokenFile]
    /// Position of each file's first token in the sequence.
    private let starts: [Int]
    /// Positions where documents begin, ascending.
    private let documents: [Int]
    private let range: Range<Int>

    /// All the tokens of the files, in order.
    init(_ files: [TokenFile], of sources: [String]) {
        self.files = files
        self.sources = sources
        var starts: [Int] = []
        var documents: [Int] = []
        var total = 0
        for file in files {
            starts.append(total)
            documents += file.documentStarts.map { $0 + total }
            total += file.count
        }
        self.starts = starts
        self.documents = documents
        range = 0..<total
    }

    private init(_ whole: TokenStream, _ range: Range<Int>) {
        files = whole.files
        sources = whole.sources
        starts = whole.starts
        documents = whole.documents
        self.range = range
    }

    /// Number of documents that begin in the stream, as far as recorded.
    var documentCount: Int { documents.count { range.contains($0) } }

    /// Positions where documents begin that are followed by `length` tokens, ascending.
    public func documentStarts(length: Int) -> [Int] {
        documents.filter { range.contains($0) && range.upperBound - $0 >= length }.map { $0 - range.lowerBound }
    }

    /// Splits the stream at a position.
    func split(at place: Int) -> (TokenStream, TokenStream) {
        let middle = range.lowerBound + place
        return (
            TokenStream(self, range.lowerBound..<middle), TokenStream(self, middle..<range.upperBound)
        )
    }

    /// Copies tokens `offset`..<`offset + length` to the start of `target`. A window may span files.
    /// - Throws: `invalidData` if there are fewer than `length` tokens, or for an id outside the vocabulary; `usage` if
    ///   the window is outside the stream or the target is too small.
    public func window(
        at offset: Int, length: Int, into target: UnsafeMutableBufferPointer<Int64>
    ) throws(TextError) {
        try requireBlock(of: length)
        // Subtraction avoids overflow for offsets near `Int.max`.
        guard offset >= 0, offset <= count - length, length <= target.count else {
            throw TextError(
                .usage,
                "a window of \(length) tokens at \(offset), in a stream of \(count), into room for "
                    + "\(target.count)", remedy: "choose an offset of at most \(count - length)")
        }
        var position = range.lowerBound + offset
        var filled = 0
        var file = self.file(at: position)
        while filled < length {
            let start = position - starts[file]
            let part = min(length - filled, files[file].count - start)
            let room = UnsafeMutableBufferPointer(rebasing: target[filled..<(filled + part)])
            try files[file].copy(start..<(start + part), into: room)
            position += part
            filled += part
            file += 1
        }
    }

    /// The window as an array.
    /// - Throws: like `window(at:length:into:)`.
    public func window(at offset: Int, length: Int) throws(TextError) -> [Int64] {
        try requireBlock(of: length)
        let buffer = UnsafeMutableBufferPointer<Int64>.allocate(capacity: max(length, 1))
        defer { buffer.deallocate() }
        try window(at: offset, length: length, into: buffer)
        return Array(buffer.prefix(length))
    }

    /// - Throws: `invalidData` with the number of tokens, unless a block of `length` fits; `usage` for a length below
    ///   1.
    public func requireBlock(of length: Int) throws(TextError) {
        guard length > 0 else {
            throw TextError(.usage, "the block length is \(length)", remedy: "choose a length of at least 1")
        }
        guard length <= count else {
            let tokens = count == 1 ? "1 token is" : "\(count) tokens are"
            throw TextError(
                .invalidData, "\(tokens) too few for one block of \(length)", source: name,
                remedy: "give more text, hold out another fraction, or choose a shorter block")
        }
    }

    /// A fingerprint (16 hexadecimal digits) of the tokens.
    /// - Throws: like ``window(at:length:into:)``.
    public func fingerprint() throws(TextError) -> String {
        var hash = Fingerprint()
        hash.combine(count)
        let part = 1 << 16
        let buffer = UnsafeMutableBufferPointer<Int64>.allocate(capacity: part)
        defer { buffer.deallocate() }
        for start in stride(from: 0, to: count, by: part) {
            let length = min(part, count - start)
            try window(at: start, length: length, into: buffer)
            hash.combine(words: buffer.prefix(length))
        }
        return hash.text
    }

    private var name: String? {
        sources.count > 1 ? "\(sources[0]) and \(sources.count - 1) more" : sources.first
    }

    /// The file that contains a token, by bisection.
    private func file(at position: Int) -> Int {
        var low = 0
        var high = files.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= position { low = middle } else { high = middle }
        }
        return low
    }
}
