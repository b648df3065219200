import Files

/// Splits text into the pieces of Llama-3 (digits in groups of three) and Qwen2 (single digits). A hand-written
/// equivalent of their regular expression:
///
///     (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
struct LineScanner: PieceSplitter {
    let base: UnsafePointer<UInt8>
    let count: Int
    /// `ScalarClass.basicPlane`.
    let classes: UnsafePointer<UInt8>
    /// Maximum digits per piece.
    let digits: Int

    @inline(__always)
    func end(from start: Int) -> Int {
        let first = base[start]
        if first == UInt8(ascii: "'") {
            let length = contractionLength(at: start)
            if length > 0 { return start &+ length }
        }
        let (kind, length) = classAndLength(at: start)
        if kind == ScalarClass.letter { return endOfLetters(from: start) }
        if kind == ScalarClass.number { return endOfDigits(from: start) }
        let next = start &+ length
        let isLineEnd = first == UInt8(ascii: "\n") || first == UInt8(ascii: "\r")
        // Any single character except a digit or line end may begin a word.
        if !isLineEnd, next < count {
            let following = classAndLength(at: next).kind
            if following == ScalarClass.letter { return endOfLetters(from: next) }
            if first == UInt8(ascii: " "), following == ScalarClass.other { return endOfOthers(from: next) }
        }
        return kind == ScalarClass.other ? endOfOthers(from: start) : endOfSpaces(from: start)
    }

    @inline(__always)
    private func classAndLength(at index: Int) -> (kind: UInt8, length: Int) {
        let byte = base[index]
        if byte < 0x80 { return (classes[Int(byte)], 1) }
        let (value, length) = UTF8Bytes.scalar(at: index, in: base)
        return (ScalarClass.of(value, classes), length)
    }

    @inline(__always)
    private func endOfLetters(from start: Int) -> Int {
        var index = start
        while index < count {
            index = ASCIILetters.end(in: base, count, from: index)
            guard index < count else { break }
            let next = classAndLength(at: index)
            if next.kind != ScalarClass.letter { break }
            index &+= next.length
        }
        return index
    }

    private func endOfDigits(from start: Int) -> Int {
        var index = start
        var taken = 0
        while index < count, taken < digits {
            let next = classAndLength(at: index)
            if next.kind != ScalarClass.number { break }
            index &+= next.length
            taken &+= 1
        }
        return index
    }

    /// A run of symbols, with the line ends that follow.
    private func endOfOthers(from start: Int) -> Int {
        var index = start
        while index < count {
            let next = classAndLength(at: index)
            if next.kind != ScalarClass.other { break }
            index &+= next.length
        }
        while index < count, base[index] == UInt8(ascii: "\n") || base[index] == UInt8(ascii: "\r") { index &+= 1 }
        return index
    }

    /// White space up to its last line end (`\s*[\r\n]+`); without one, all but the last character before something
    /// else.
    private func endOfSpaces(from start: Int) -> Int {
        var index = start
        var last = start
        var lineEnd = start
        while index < count {
            let next = classAndLength(at: index)
            if next.kind != ScalarClass.space {
                if lineEnd > start { return lineEnd }
                return last > start ? last : index
            }
            last = index
            if base[index] == UInt8(ascii: "\n") || base[index] == UInt8(ascii: "\r") { lineEnd = index &+ 1 }
            index &+= next.length
        }
        return lineEnd > start ? lineEnd : index
    }

    /// The length in bytes of `'s`, `'RE` and the like at an apostrophe, 0 if there is none. Letters match regardless
    /// of case, and the long s (U+017F) counts as s.
    private func contractionLength(at start: Int) -> Int {
        guard start &+ 1 < count else { return 0 }
        let second = base[start &+ 1] | 0x20
        switch second {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
            return isLetter(base[start &+ 1]) ? 2 : 0
        default: break
        }
        guard start &+ 2 < count else { return 0 }
        if base[start &+ 1] == 0xC5, base[start &+ 2] == 0xBF { return 3 }
        guard isLetter(base[start &+ 1]), isLetter(base[start &+ 2]) else { return 0 }
        switch (second, base[start &+ 2] | 0x20) {
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return 3
        default: return 0
        }
    }

    @inline(__always)
    private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }
}
