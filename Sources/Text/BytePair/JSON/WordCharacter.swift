import Files

/// Character classes for the neighbours of added tokens, as in regular expressions: `\w` is a letter, a mark, a decimal
/// digit, a connector such as the underscore, or a joiner; `\s` is white space.
enum WordCharacter {
    static func contains(_ scalar: Unicode.Scalar) -> Bool {
        // Unicode 16, as in `ScalarClass`.
        guard let age = scalar.properties.age, age.major <= 16 else { return false }
        return switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
        // Zero width joiner and non-joiner.
        default: scalar.properties.isAlphabetic || scalar.value == 0x200C || scalar.value == 0x200D
        }
    }

    /// Whether valid UTF-8 ends with a word character.
    static func ends(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = lastScalar(before: text.count, in: text) else { return false }
        return scalar(at: start, in: text).map(contains) ?? false
    }

    /// Whether valid UTF-8 begins with a word character.
    static func begins(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard !text.isEmpty else { return false }
        return scalar(at: 0, in: text).map(contains) ?? false
    }

    /// Start of the white space that ends at `end`.
    static func spaceStart(before end: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        var place = end
        while let start = lastScalar(before: place, in: text),
            scalar(at: start, in: text)?.properties.isWhitespace == true
        {
            place = start
        }
        return place
    }

    /// End of the white space that begins at `start`.
    static func spaceEnd(after start: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        var place = start
        while place < text.count, let base = text.baseAddress {
            let (value, length) = UTF8Bytes.scalar(at: place, in: base)
            guard Unicode.Scalar(value)?.properties.isWhitespace == true else { break }
            place += length
        }
        return place
    }

    private static func lastScalar(before end: Int, in text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard end > 0 else { return nil }
        var start = end - 1
        while start > 0, UTF8Bytes.isContinuation(text[start]) { start -= 1 }
        return start
    }

    private static func scalar(at start: Int, in text: UnsafeBufferPointer<UInt8>) -> Unicode.Scalar? {
        text.baseAddress.flatMap { Unicode.Scalar(UTF8Bytes.scalar(at: start, in: $0).value) }
    }
}
