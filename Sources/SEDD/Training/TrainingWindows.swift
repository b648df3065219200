import Files
import Text

/// Which tokens a sequence of a step is trained on: a pure function of (seed, step, sequence).
///
/// A window is `length` tokens of the stream that follow each other. It may hold the end of one document and the beginning of
/// the next, with the end of text between them. A stated share of windows begins where a document begins, so that a model
/// whose windows hold about a document learns to write one from its beginning; the others begin at any token, each as often as the next.
struct TrainingWindows {
    private let stream: TokenStream
    private let length: Int
    /// Share of windows that begin at one of `documents`.
    private let documentStarts: Double
    /// Places where documents begin with a window's tokens from there on.
    private let documents: [Int]
    private let random: RandomStream

    /// - Throws: `TextError` where the stream holds no window; ``SEDDError`` of kind `invalidData` where windows shall begin with
    ///   documents and the stream has fewer than two.
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
                "data.document_starts is \(documentStarts), but the training texts have \(documents.count) document beginnings; divide the texts by lines of <|endoftext|> or give JSON rows, or set it to 0"
            )
        }
    }

    /// The first token of a window.
    func offset(step: Int, sequence: Int) -> Int {
        // Draw 0 is the window's own, as without documents; 1 and 2 are the choice and the document.
        if documentStarts > 0, random.uniform(step: step, sequence: sequence, draw: 1) < documentStarts {
            return documents[random.integer(below: documents.count, step: step, sequence: sequence, draw: 2)]
        }
        return random.integer(below: stream.count - length + 1, step: step, sequence: sequence)
    }

    /// The tokens of a window, `length` of them.
    func window(step: Int, sequence: Int) throws -> [Int] {
        try stream.window(at: offset(step: step, sequence: sequence), length: length).map(Int.init)
    }
}
