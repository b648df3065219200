/// A rewriting rule; matches are found left to right, without overlap.
enum DetokenizerRule: Sendable {
    /// Replaces one text with another.
    case replace(String, String)
    /// Removes white space inside a pair: `( a )` becomes `(a)`.
    case close(Unicode.Scalar, Unicode.Scalar)
    /// Removes exactly one space at each end inside a nonempty pair that contains none of `stops`.
    case closeSpaced(Unicode.Scalar, Unicode.Scalar, stops: String)
    /// ` 'word` to `'word`.
    case attachContraction
    /// ` word . ` to ` word. `.
    case attachStop
    /// ` word .` at the end to ` word.`.
    case attachLastStop
    /// Removes a space before a mark at the end.
    case attachLast(Unicode.Scalar)
    /// Replaces `/' 5/`, with any digit, by the literal text `/'[0-9]/`.
    case slashedDigit
    /// Trims white space, and prepends a text.
    case trim(before: String)

    typealias Scalars = [Unicode.Scalar]

    func applied(to text: Scalars) -> Scalars {
        switch self {
        case .replace(let what, let by):
            let (what, by) = (Array(what.unicodeScalars), Array(by.unicodeScalars))
            return Self.rewriting(text, from: what[0]) { start in
                Self.holds(what, text, at: start) ? (start + what.count, by) : nil
            }
        case .close(let open, let close):
            return Self.rewriting(text, from: open) { start in
                guard let end = text[(start + 1)...].firstIndex(of: close) else { return nil }
                return (end + 1, [open] + PythonText.trimmed(Array(text[(start + 1)..<end])) + [close])
            }
        case .closeSpaced(let open, let close, let stops):
            let stops = Array(stops.unicodeScalars)
            return Self.rewriting(text, from: open) { start in
                guard start + 2 < text.count, text[start + 1] == " ",
                    let end = text[(start + 2)...].firstIndex(where: stops.contains), text[end] == close,
                    end - 1 > start + 2, text[end - 1] == " "
                else { return nil }
                return (end + 1, [open] + text[(start + 2)..<(end - 1)] + [close])
            }
        case .attachContraction:
            return Self.rewriting(text, from: " ") { start in
                guard start + 2 < text.count, text[start + 1] == "'", PythonText.isWord(text[start + 2]) else {
                    return nil
                }
                return (start + 2, ["'"])
            }
        case .attachStop:
            return Self.rewriting(text, from: " ") { start in
                guard let end = Self.word(text, after: start), Self.holds([" ", ".", " "], text, at: end) else {
                    return nil
                }
                return (end + 3, text[start..<end] + [".", " "])
            }
        case .attachLastStop:
            return Self.rewriting(text, from: " ") { start in
                guard let end = Self.word(text, after: start), Self.holds([" ", "."], text, at: end),
                    Self.isEnd(end + 2, text)
                else { return nil }
                return (end + 2, text[start..<end] + ["."])
            }
        case .attachLast(let mark):
            return Self.rewriting(text, from: " ") { start in
                Self.holds([" ", mark], text, at: start) && Self.isEnd(start + 2, text) ? (start + 2, [mark]) : nil
            }
        case .slashedDigit:
            return Self.rewriting(text, from: "/") { start in
                guard Self.holds(["/", "'", " "], text, at: start), start + 4 < text.count,
                    ("0"..."9").contains(text[start + 3]), text[start + 4] == "/"
                else { return nil }
                return (start + 5, Array("/'[0-9]/".unicodeScalars))
            }
        case .trim(let before):
            return Array(before.unicodeScalars) + PythonText.trimmed(text)
        }
    }

    /// Copies `text`, asking at each occurrence of `first` for a replacement and its end; nil for no match.
    private static func rewriting(
        _ text: Scalars, from first: Unicode.Scalar, _ match: (Int) -> (end: Int, by: Scalars)?
    ) -> Scalars {
        guard text.contains(first) else { return text }
        var result: Scalars = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            if text[index] == first, let (end, by) = match(index) {
                result += by
                index = end
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    private static func holds(_ what: Scalars, _ text: Scalars, at start: Int) -> Bool {
        start + what.count <= text.count && what.indices.allSatisfy { text[start + $0] == what[$0] }
    }

    /// End of the word that follows `start`; nil if there is none.
    private static func word(_ text: Scalars, after start: Int) -> Int? {
        let end = text[(start + 1)...].firstIndex { !PythonText.isWord($0) } ?? text.count
        return end > start + 1 ? end : nil
    }

    /// Whether only a line end follows, or nothing.
    private static func isEnd(_ index: Int, _ text: Scalars) -> Bool {
        index == text.count || (index == text.count - 1 && text[index] == "\n")
    }
}
