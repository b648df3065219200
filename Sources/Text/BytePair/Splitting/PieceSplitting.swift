/// Splits valid UTF-8 into the pieces within which bytes merge. The pieces cover the text.
protocol PieceSplitter {
    var base: UnsafePointer<UInt8> { get }
    var count: Int { get }
    /// The end of the piece that begins at `start` < `count`.
    func end(from start: Int) -> Int
}

/// The ways of splitting that published tokenizers have, by their regular expressions.
enum PieceSplitting: Sendable, Equatable {
    /// GPT-2, CodeGen: `PieceScanner`.
    case gpt2
    /// Llama-3 and Qwen2: `LineScanner`, which splits digits into groups of at most so many.
    case lines(digits: Int)

    /// What tokenizer.json files hold, to the letter.
    private static let expressions: [(String, PieceSplitting)] = [
        (#"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#, .gpt2),
        (
            #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
            .lines(digits: 3)
        ),
        (
            #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
            .lines(digits: 1)
        ),
    ]

    /// nil for an expression that is none of the published ones.
    init?(expression: String) {
        guard let known = Self.expressions.first(where: { $0.0 == expression }) else { return nil }
        self = known.1
    }

    /// What tells it in fingerprints.
    var name: String {
        switch self {
        case .gpt2: "gpt2"
        case .lines(let digits): "lines-\(digits)"
        }
    }

    /// The greatest length of a prefix whose pieces do not depend on what follows it, and the other way round; 0 where none is
    /// in sight.
    ///
    /// - Parameters:
    ///   - ascii: whether the characters on both sides must be ASCII, so that no normalization joins or changes them.
    ///   - allows: asked about a place with its two neighbouring bytes.
    func cut(
        in bytes: UnsafeBufferPointer<UInt8>, ascii: Bool = false,
        allows: (_ before: UInt8, _ after: UInt8) -> Bool = { _, _ in true }
    ) -> Int {
        ScalarClass.basicPlane.withUnsafeBufferPointer { classes in
            classes.baseAddress.map {
                PieceCut.last(in: bytes, classes: $0, wordsOnly: self != .gpt2, ascii: ascii, allows: allows)
            } ?? 0
        }
    }
}
