import Files
import Text

/// The tokens on which a sequence of a step is trained: a pure function of (seed, step, sequence).
///
/// A window is `length` consecutive tokens of the stream. It may contain the end of one document and the beginning of
/// the next, with the end of text between them. A given fraction of windows starts at a document start, so that the
/// model learns how documents begin; the others start at any token with equal probability.
struct TrainingWindows {
    private let stream: TokenStream
    private let length: Int
    /// Fraction of windows that start at one of `documents`.
    private let documentStarts: Double
    /// Document starts that are followed by enough tokens for a window.
    private let documents: [Int]
    private let random: RandomStream

    /// - Throws: `TextError` if the stream contains no window; ``SEDDError`` of kind `invalidData` if windows are to
    ///   start at document starts and the stream has fewer than two.
    init(_ stream: TokenStream, length: Int, documentStarts: Double, seed: UInt64) throws {
        try stream.requireBlock(of: length)
        self.stream = stream
        self.length = length
        self.documentStarts = documentStarts
        documents = documentStarts > 0 ? stream.documentStarts(length: length) : []
        random = RandomStream(seed: seed, purpose: .windows)
        guard documentStarts == 0 || documents.count > 1 else {
            throw SEDDError(
                .invalidData,
                "data.document_starts is \(documentStarts), but the training texts have \(documents.count) document starts; separate the texts by lines of <|endoftext|> or give JSON rows, or set it to 0"
            )
        }
    }

    /// Position of the first token of a window.
    func offset(step: Int, sequence: Int) -> Int {
        // Draw 0 is the window's own, as without documents; 1 and 2 select whether and which document.
        if documentStarts > 0, random.uniform(step: step, sequence: sequence, draw: 1) < documentStarts {
            return documents[random.integer(below: documents.count, step: step, sequence: sequence, draw: 2)]
        }
        return random.integer(below: stream.count - length + 1, step: step, sequence: sequence)
    }

    /// The tokens of a window.
    func window(step: Int, sequence: Int) throws -> [Int] {
        try stream.window(at: offset(step: step, sequence: sequence), length: length).map(Int.init)
    }
}
