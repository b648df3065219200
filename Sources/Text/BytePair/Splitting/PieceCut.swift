import Files

/// Finds positions at which a stream may be cut without changing the pieces.
///
/// With GPT-2's splitting a piece always ends between two characters of different classes, unless the first is a space,
/// which may belong to the following piece, or an apostrophe, which may begin a contraction. No other rule looks ahead
/// or behind. With that of Llama-3 and Qwen2 any symbol may begin a word, but a piece always ends after a letter or
/// digit that is followed by a character of another class.
enum PieceCut {
    /// The last such position, 0 if there is none. It is never after the last character, because what follows is
    /// unknown.
    ///
    /// - Parameters:
    ///   - wordsOnly: only after letters and digits.
    ///   - ascii: only between two ASCII characters.
    ///   - allows: whether a position with these two neighbouring bytes is allowed.
    static func last(
        in bytes: UnsafeBufferPointer<UInt8>, classes: UnsafePointer<UInt8>, wordsOnly: Bool = false,
        ascii: Bool = false, allows: (_ before: UInt8, _ after: UInt8) -> Bool = { _, _ in true }
    ) -> Int {
        var end = UTF8Bytes.lastBoundary(in: bytes)
        guard end > 0 else { return 0 }
        var start = startOfScalar(before: end, in: bytes)
        var kind = classOfScalar(from: start, to: end, in: bytes, classes)
        while start > 0 {
            end = start
            start = startOfScalar(before: end, in: bytes)
            let earlier = classOfScalar(from: start, to: end, in: bytes, classes)
            if earlier != kind, earlier != ScalarClass.space,
                !wordsOnly || earlier == ScalarClass.letter || earlier == ScalarClass.number,
                !(bytes[start] == UInt8(ascii: "'") && kind == ScalarClass.letter),
                !ascii || (bytes[end - 1] < 0x80 && bytes[end] < 0x80), allows(bytes[end - 1], bytes[end])
            {
                return end
            }
            kind = earlier
        }
        return 0
    }

    private static func startOfScalar(before end: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var start = end - 1
        while start > 0, end - start < 4, UTF8Bytes.isContinuation(bytes[start]) { start -= 1 }
        return start
    }

    /// Ill-formed bytes, which encoding will report, count as `other`.
    private static func classOfScalar(
        from start: Int, to end: Int, in bytes: UnsafeBufferPointer<UInt8>, _ classes: UnsafePointer<UInt8>
    ) -> UInt8 {
        guard let base = bytes.baseAddress, UTF8Bytes.wellFormedLength(at: start, in: bytes) == end - start else {
            return ScalarClass.other
        }
        return ScalarClass.of(UTF8Bytes.scalar(at: start, in: base).value, classes)
    }
}
