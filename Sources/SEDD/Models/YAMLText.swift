import Files
import Yams

/// YAML from outside, without what means something else than it seems to, and what can grow without bound.
enum YAMLText {
    /// The document in `text`; nil if it is empty.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` for text that is not YAML, anchors and aliases, which a kilobyte suffices to
    ///   expand without end, and keys that are not scalars.
    static func node(_ text: String, source: String) throws(SEDDError) -> Node? {
        if let mark = text.split(whereSeparator: \.isNewline).lazy.compactMap(reference).first {
            throw SEDDError(
                .invalidData,
                "\(source): '\(mark.prefix(40))' is an anchor or an alias; write the value itself, or quote it")
        }
        do { return try Yams.compose(yaml: text) } catch {
            throw SEDDError(.invalidData, "\(source): not valid YAML: \("\(error)".split(separator: "\n").first ?? "")")
        }
    }

    /// A word that begins with & or * where a value may begin, outside of comments and quotes; no plain value begins so.
    private static func reference(_ line: Substring) -> Substring? {
        // The last character, and the last but spaces; nil at the start.
        var (before, mark): (Character?, Character?)
        // Whether there have only been spaces and the marks of items and keys.
        var isIndentation = true
        var quote: Character?
        for place in line.indices {
            let letter: Character = line[place] == "\t" ? " " : line[place]
            defer { before = letter }
            if let open = quote {
                if letter == open { quote = nil }
                continue
            }
            let isApart = before == nil || before == " "
            if letter == "#", isApart { return nil }
            if letter != " " {
                let begins =
                    isIndentation && isApart || mark.map("[{,".contains) == true || mark == ":" && isApart
                if begins, letter == "&" || letter == "*" { return line[place...].prefix { !" ,]}".contains($0) } }
                if begins, letter == "\"" || letter == "'" { quote = letter }
                isIndentation = isIndentation && (letter == "-" || letter == "?")
                mark = letter
            }
        }
        return nil
    }

    /// A plain number that YAML 1.1 reads in another base: the number and how to write it; nil for other values.
    static func fault(_ node: Node) -> String? {
        guard let scalar = node.scalar, scalar.style == .plain else { return nil }
        let text = scalar.string
        if text.wholeMatch(of: /[-+]?0[0-9_]+/) != nil {
            return "\(text.prefix(40)), which YAML reads as an octal number; write it without the leading zero"
        }
        if text.wholeMatch(of: /[-+]?[0-9][0-9_]*(:[0-9_]+)+(\.[0-9_]*)?/) != nil {
            return "\(text.prefix(40)), which YAML reads as a number of base 60; write it as a decimal number"
        }
        return nil
    }

    /// Refuses such numbers anywhere in a document.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData`.
    static func requireDecimals(_ node: Node, source: String) throws(SEDDError) {
        if let fault = fault(node) { throw SEDDError(.invalidData, "\(source): \(fault)") }
        for value in node.mapping?.values.map({ $0 }) ?? node.sequence?.map({ $0 }) ?? [] {
            try requireDecimals(value, source: source)
        }
    }
}
