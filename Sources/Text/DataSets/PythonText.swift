/// What the published preprocessing, which is written in Python, takes for white space and for a word.
enum PythonText {
    /// Characters that Python's `str.isspace`, `strip` and `\s` know.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        // The four separators of ASCII are no white space to Unicode.
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }

    /// Characters of `\w`: letters, anything with a numeric value, and the underscore.
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || scalar == "_"
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
        default: return scalar.properties.numericType != nil
        }
    }

    /// `text` without white space at its ends.
    static func trimmed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard let first = text.firstIndex(where: { !isSpace($0) }),
            let last = text.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return Array(text[first...last])
    }
}
