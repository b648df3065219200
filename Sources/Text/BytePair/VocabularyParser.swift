import Files

/// A fast parser for the one form of JSON in vocabulary files: an object that maps strings to integers.
struct VocabularyParser {
    private var scanner: JSONScanner
    private let source: String
    private var text: [UInt8] = []

    /// `bytes` must be valid UTF-8.
    init(_ bytes: UnsafeBufferPointer<UInt8>, source: String) {
        scanner = JSONScanner(bytes)
        self.source = source
    }

    /// Calls `body` with each string (unescaped UTF-8) and its number, in file order.
    /// - Throws: `invalidData` with the byte offset, or what `body` throws.
    mutating func forEach(
        _ body: (UnsafeBufferPointer<UInt8>, Int) throws(TextError) -> Void
    ) throws(TextError) {
        do throws(JSONFault) { try scanner.expect(UInt8(ascii: "{")) } catch { throw unexpected(error) }
        if scanner.take(UInt8(ascii: "}")) { return try end() }
        while true {
            let number = try member()
            try text.withUnsafeBufferPointer { token throws(TextError) in try body(token, number) }
            if scanner.take(UInt8(ascii: "}")) { return try end() }
            guard scanner.take(UInt8(ascii: ",")) else { throw unexpected(scanner.fault("expected ',' or '}'")) }
        }
    }

    private func end() throws(TextError) {
        var scanner = scanner
        do throws(JSONFault) { try scanner.expectEnd() } catch { throw unexpected(error) }
    }

    /// A token, left in `text`, and its number.
    private mutating func member() throws(TextError) -> Int {
        do throws(JSONFault) {
            text.removeAll(keepingCapacity: true)
            try scanner.string(into: &text)
            try scanner.expect(UInt8(ascii: ":"))
            guard case .integer(let number) = try scanner.number(), number >= 0 else {
                throw scanner.fault("expected a whole number")
            }
            return number
        } catch {
            throw unexpected(error)
        }
    }

    private func unexpected(_ fault: JSONFault) -> TextError {
        TextError(
            .invalidData, "not a JSON object of tokens and ids: \(fault.problem)", source: source,
            byteOffset: fault.byteOffset, remedy: "download the file again")
    }
}
