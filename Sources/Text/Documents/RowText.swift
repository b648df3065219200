package import Files

/// Extracts the text of a JSON row.
package enum RowText {
    /// Maximum nesting depth beside the text.
    private static let greatestDepth = 64

    /// Reads the next value: a string, or an object with a `text`.
    /// - Returns: the text in UTF-8.
    /// - Throws: `JSONFault`.
    package static func read(_ scanner: inout JSONScanner) throws(JSONFault) -> [UInt8] {
        switch scanner.peek() {
        case UInt8(ascii: "\""): return try string(&scanner)
        case UInt8(ascii: "{"): break
        default: throw scanner.fault("expected an object with a 'text', or a string")
        }
        guard let found = try member(&scanner) else { throw scanner.fault("an object without a 'text'") }
        return found
    }

    private static func string(_ scanner: inout JSONScanner) throws(JSONFault) -> [UInt8] {
        var text: [UInt8] = []
        try scanner.string(into: &text)
        return text
    }

    /// The `text` of an object; the last one counts, as for most readers.
    private static func member(_ scanner: inout JSONScanner) throws(JSONFault) -> [UInt8]? {
        var found: [UInt8]?
        try members(of: &scanner) { name, scanner throws(JSONFault) in
            guard name == Array("text".utf8) else { return try skip(&scanner, depth: 1) }
            guard scanner.peek() == UInt8(ascii: "\"") else { throw scanner.fault("the 'text' is not a string") }
            found = try string(&scanner)
        }
        return found
    }

    static func members(
        of scanner: inout JSONScanner,
        _ body: (_ name: [UInt8], inout JSONScanner) throws(JSONFault) -> Void
    ) throws(JSONFault) {
        try scanner.expect(UInt8(ascii: "{"))
        if scanner.take(UInt8(ascii: "}")) { return }
        while true {
            guard scanner.peek() == UInt8(ascii: "\"") else { throw scanner.fault("expected the name of a member") }
            let name = try string(&scanner)
            guard scanner.take(UInt8(ascii: ":")) else { throw scanner.fault("expected ':' after a name") }
            try body(name, &scanner)
            if scanner.take(UInt8(ascii: "}")) { return }
            guard scanner.take(UInt8(ascii: ",")) else { throw scanner.fault("expected ',' or '}' in an object") }
        }
    }

    /// Skips an unused value. Non-JSON numbers, as Python writes them, are accepted here: they are not a reason to
    /// refuse a text.
    static func skip(_ scanner: inout JSONScanner, depth: Int) throws(JSONFault) {
        guard depth <= greatestDepth else { throw scanner.fault("more than \(greatestDepth) levels") }
        switch scanner.peek() {
        case UInt8(ascii: "\""): _ = try string(&scanner)
        case UInt8(ascii: "{"):
            try members(of: &scanner) { _, scanner throws(JSONFault) in try skip(&scanner, depth: depth + 1) }
        case UInt8(ascii: "["):
            try scanner.expect(UInt8(ascii: "["))
            if scanner.take(UInt8(ascii: "]")) { return }
            while true {
                try skip(&scanner, depth: depth + 1)
                if scanner.take(UInt8(ascii: "]")) { return }
                guard scanner.take(UInt8(ascii: ",")) else { throw scanner.fault("expected ',' or ']' in an array") }
            }
        default:
            for word in ["true", "false", "null", "NaN", "Infinity", "-Infinity"] as [StaticString]
            where scanner.take(word: word) { return }
            _ = try scanner.number()
        }
    }
}
