/// Splits valid UTF-8 into pieces within which bytes are merged. The pieces cover the text.
protocol PieceSplitter {
    var base: UnsafePointer<UInt8> { get }
    var count: Int { get }
    /// The end of the piece that begins at `start` < `count`.
    func end(from start: Int) -> Int
}

/// The splitting rules of published tokenizers, identified by their regular expressions.
enum PieceSplitting: Sendable, Equatable {
    /// GPT-2, CodeGen: `PieceScanner`.
    case gpt2
    /// Llama-3 and Qwen2: `LineScanner`, with digit groups of at most this size.
    case lines(digits: Int)

    /// The expressions exactly as in tokenizer.json files.
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

    /// Nil for an unknown expression.
    init?(expression: String) {
        guard let known = Self.expressions.first(where: { $0.0 == expression }) else { return nil }
        self = known.1
    }

    /// Identifier in fingerprints.
    var name: String {
        switch self {
        case .gpt2: "gpt2"
        case .lines(let digits): "lines-\(digits)"
        }
    }

    /// Length of the longest prefix whose pieces do not depend on what follows, and vice versa; 0 if there is none.
    ///
    /// - Parameters:
    ///   - ascii: whether both neighbouring characters must be ASCII, so that normalization cannot join or change them.
    ///   - allows: whether a position with these two neighbouring bytes is allowed.
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
