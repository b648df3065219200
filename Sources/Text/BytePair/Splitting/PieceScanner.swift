import Files

/// Splits text into GPT-2's pieces. A hand-written equivalent of its regular expression:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// The pieces cover the text: each begins where the previous one ends.
struct PieceScanner: PieceSplitter {
    /// Valid UTF-8.
    let base: UnsafePointer<UInt8>
    let count: Int
    /// `ScalarClass.basicPlane`.
    let classes: UnsafePointer<UInt8>

    /// The end of the piece that begins at `start` < `count`.
    @inline(__always)
    func end(from start: Int) -> Int {
        let first = base[start]
        if first == UInt8(ascii: " ") {
            guard start + 1 < count else { return count }
            let kind = classAndLength(at: start + 1).kind
            // The space belongs to the following run.
            if kind != ScalarClass.space { return endOfRun(of: kind, from: start + 1) }
            return endOfSpaces(from: start)
        }
        if first == UInt8(ascii: "'") {
            let length = contractionLength(at: start)
            if length > 0 { return start + length }
        }
        let kind = classAndLength(at: start).kind
        return kind == ScalarClass.space ? endOfSpaces(from: start) : endOfRun(of: kind, from: start)
    }

    @inline(__always)
    private func classAndLength(at index: Int) -> (kind: UInt8, length: Int) {
        let byte = base[index]
        if byte < 0x80 { return (classes[Int(byte)], 1) }
        let (value, length) = UTF8Bytes.scalar(at: index, in: base)
        return (ScalarClass.of(value, classes), length)
    }

    @inline(__always)
    private func endOfRun(of kind: UInt8, from start: Int) -> Int {
        var index = start
        while index < count {
            if kind == ScalarClass.letter { index = ASCIILetters.end(in: base, count, from: index) }
            guard index < count else { break }
            let next = classAndLength(at: index)
            if next.kind != kind { break }
            index &+= next.length
        }
        return index
    }

    /// `\s+(?!\S)` leaves its last space to a following word, unless it is the only one (`\s+`).
    private func endOfSpaces(from start: Int) -> Int {
        var index = start
        var last = start
        while index < count {
            let next = classAndLength(at: index)
            if next.kind != ScalarClass.space { return last > start ? last : index }
            last = index
            index += next.length
        }
        return index
    }

    /// The length of `'s`, `'re` and the like at an apostrophe, 0 if there is none.
    private func contractionLength(at start: Int) -> Int {
        guard start + 1 < count else { return 0 }
        let second = base[start + 1]
        switch second {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 2
        default: break
        }
        guard start + 2 < count else { return 0 }
        switch (second, base[start + 2]) {
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return 3
        default: return 0
        }
    }
}
