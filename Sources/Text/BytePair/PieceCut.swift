import Files

/// Where a stream may be cut so that GPT-2 splits the two parts as it splits the whole.
///
/// A piece always ends between two characters of different classes, unless the first is a space, which may belong to
/// the second's piece, or an apostrophe, which may begin a contraction. Nothing else looks behind or ahead.
enum PieceCut {
    /// The last such place in sight, 0 where there is none. The last character cannot serve: what follows is unknown.
    static func last(in bytes: UnsafeBufferPointer<UInt8>, classes: UnsafePointer<UInt8>) -> Int {
        var end = UTF8Bytes.lastBoundary(in: bytes)
        guard end > 0 else { return 0 }
        var start = startOfScalar(before: end, in: bytes)
        var kind = classOfScalar(from: start, to: end, in: bytes, classes)
        while start > 0 {
            end = start
            start = startOfScalar(before: end, in: bytes)
            let earlier = classOfScalar(from: start, to: end, in: bytes, classes)
            if earlier != kind, earlier != ScalarClass.space,
                !(bytes[start] == UInt8(ascii: "'") && kind == ScalarClass.letter)
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

    /// Ill-formed bytes, which encoding will name, count as `other`.
    private static func classOfScalar(
        from start: Int, to end: Int, in bytes: UnsafeBufferPointer<UInt8>, _ classes: UnsafePointer<UInt8>
    ) -> UInt8 {
        guard let base = bytes.baseAddress, UTF8Bytes.wellFormedLength(at: start, in: bytes) == end - start else {
            return ScalarClass.other
        }
        return ScalarClass.of(UTF8Bytes.scalar(at: start, in: base).value, classes)
    }
}
