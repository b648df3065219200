/// Reads the one form of JSON that a vocabulary has, an object of strings and whole numbers, in a few milliseconds.
struct VocabularyParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let source: String
    private var index = 0
    private var text: [UInt8] = []

    /// `bytes` must be valid UTF-8.
    init(_ bytes: UnsafeBufferPointer<UInt8>, source: String) {
        self.bytes = bytes
        self.source = source
    }

    /// Calls `body` with each string (UTF-8, unescaped) and its number, in the order of the file.
    /// - Throws: `invalidData` with the place, or what `body` throws.
    mutating func forEach(
        _ body: (UnsafeBufferPointer<UInt8>, Int) throws(TextError) -> Void
    ) throws(TextError) {
        try expect(UInt8(ascii: "{"), "'{'")
        if peek() == UInt8(ascii: "}") {
            index += 1
        } else {
            while true {
                try readString()
                try expect(UInt8(ascii: ":"), "':'")
                let number = try readNumber()
                try text.withUnsafeBufferPointer { token throws(TextError) in try body(token, number) }
                if peek() == UInt8(ascii: "}") { break }
                try expect(UInt8(ascii: ","), "',' or '}'")
            }
            index += 1
        }
        if peek() != nil { throw unexpected("the end of the file") }
    }

    /// The next byte that is not white space.
    private mutating func peek() -> UInt8? {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return bytes[index]
            }
        }
        return nil
    }

    private mutating func expect(_ byte: UInt8, _ name: String) throws(TextError) {
        guard peek() == byte else { throw unexpected(name) }
        index += 1
    }

    private func unexpected(_ expected: String) -> TextError {
        TextError(
            .invalidData, "not a JSON object of tokens and ids: expected \(expected)", source: source,
            byteOffset: index, remedy: "fetch the file again")
    }

    private mutating func readNumber() throws(TextError) -> Int {
        var number = 0
        _ = peek()
        let start = index
        while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39, index - start < 10 {
            number = number * 10 + Int(bytes[index] - 0x30)
            index += 1
        }
        guard index > start else { throw unexpected("a whole number") }
        return number
    }

    private mutating func readString() throws(TextError) {
        try expect(UInt8(ascii: "\""), "'\"'")
        text.removeAll(keepingCapacity: true)
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\") { try readEscape() } else { text.append(byte) }
        }
        throw unexpected("'\"'")
    }

    private mutating func readEscape() throws(TextError) {
        guard index < bytes.count else { throw unexpected("an escape") }
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var value = try readHexadecimal()
            if value >= 0xD800, value < 0xDC00 {
                // A pair of \u escapes for one character beyond the basic plane.
                guard index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u")
                else { throw unexpected("the second half of a surrogate pair") }
                index += 2
                let low = try readHexadecimal()
                guard low >= 0xDC00, low < 0xE000 else { throw unexpected("the second half of a surrogate pair") }
                value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(value), let encoded = UTF8.encode(scalar) else {
                throw unexpected("a character")
            }
            text.append(contentsOf: encoded)
        default: throw unexpected("an escape")
        }
    }

    private mutating func readHexadecimal() throws(TextError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard index < bytes.count, let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else {
                throw unexpected("four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }
}
