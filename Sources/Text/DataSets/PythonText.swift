/// Python's definitions of white space and word characters, used by the published preprocessing.
enum PythonText {
    /// Characters matched by Python's `str.isspace`, `strip` and `\s`.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        // Unlike Unicode, Python counts the four ASCII separators as white space.
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }

    /// Characters matched by `\w`: letters, anything with a numeric value, and the underscore.
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

    /// `text` with white space trimmed at both ends.
    static func trimmed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard let first = text.firstIndex(where: { !isSpace($0) }),
            let last = text.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return Array(text[first...last])
    }
}
