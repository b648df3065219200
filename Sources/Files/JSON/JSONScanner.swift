/// A pull scanner for the elements of JSON (RFC 8259) in memory.
///
/// The only place in the project that knows the syntax of JSON: ``JSONParser`` builds trees with it, and readers of
/// large files of known structure use it without a tree.
package struct JSONScanner {
    /// Treatment of unpaired surrogates, which JSON can express and UTF-8 cannot.
    package enum LoneSurrogates: Sendable {
        case refused
        /// Replaced by U+FFFD, as tokenizers do.
        case replaced
    }

    /// A number as written: an integer if it has neither decimal point nor exponent and fits an integer type.
    package enum Number: Equatable {
        case integer(Int)
        /// Greater than `Int.max`.
        case unsigned(UInt64)
        /// The nearest double, which may be infinite.
        case double(Double)
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let loneSurrogates: LoneSurrogates
    /// Offset of the next byte.
    package private(set) var place = 0
    /// Whether an unpaired surrogate has been replaced.
    package private(set) var hasReplaced = false

    package init(_ bytes: UnsafeBufferPointer<UInt8>, loneSurrogates: LoneSurrogates = .refused) {
        self.bytes = bytes
        self.loneSurrogates = loneSurrogates
        // Skips a byte order mark, which some editors write and RFC 8259 section 8.1 allows readers to ignore.
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { place = 3 }
    }

    /// A fault at the current position.
    package func fault(_ problem: String) -> JSONFault { JSONFault(problem: problem, byteOffset: place) }

    /// Skips white space and returns the next byte without consuming it; nil at the end.
    package mutating func peek() -> UInt8? {
        while place < bytes.count {
            switch bytes[place] {
            case 0x20, 0x09, 0x0A, 0x0D: place += 1
            default: return bytes[place]
            }
        }
        return nil
    }

    /// Consumes `byte` if it comes next, after white space.
    package mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        place += 1
        return true
    }

    /// - Throws: ``JSONFault`` if another byte comes next.
    package mutating func expect(_ byte: UInt8) throws(JSONFault) {
        guard take(byte) else { throw fault("expected '\(Character(Unicode.Scalar(byte)))'") }
    }

    /// Consumes a word such as `true` if it comes next.
    package mutating func take(word: StaticString) -> Bool {
        guard peek() != nil, bytes.count - place >= word.utf8CodeUnitCount,
            (0..<word.utf8CodeUnitCount).allSatisfy({ bytes[place + $0] == word.utf8Start[$0] })
        else { return false }
        place += word.utf8CodeUnitCount
        return true
    }

    /// - Throws: ``JSONFault`` if anything but white space is left.
    package mutating func expectEnd() throws(JSONFault) {
        guard peek() == nil else { throw fault("expected the end, found more after the value") }
    }

    // MARK: Numbers

    /// Consumes a number.
    package mutating func number() throws(JSONFault) -> Number {
        _ = peek()
        let start = place
        var end = start
        if end < bytes.count, bytes[end] == UInt8(ascii: "-") { end += 1 }
        let whole = digits(from: end)
        guard whole > end, whole == end + 1 || bytes[end] != UInt8(ascii: "0") else { throw fault("expected a value") }
        end = whole
        if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
            let fraction = digits(from: end + 1)
            guard fraction > end + 1 else { throw fault("expected a digit after the point of a number") }
            end = fraction
        }
        if end < bytes.count, bytes[end] | 0x20 == UInt8(ascii: "e") {
            let hasSign =
                end + 1 < bytes.count && (bytes[end + 1] == UInt8(ascii: "+") || bytes[end + 1] == UInt8(ascii: "-"))
            let digitsStart = end + (hasSign ? 2 : 1)
            let exponent = digits(from: digitsStart)
            guard exponent > digitsStart else { throw fault("expected a digit in the exponent of a number") }
            end = exponent
        }
        let text = String(decoding: bytes[start..<end], as: UTF8.self)
        place = end
        if end == whole {
            if let integer = Int(text) { return .integer(integer) }
            if let unsigned = UInt64(text) { return .unsigned(unsigned) }
        }
        guard let double = Double(text) else { throw fault("expected a number") }
        return .double(double)
    }

    private func digits(from start: Int) -> Int {
        var end = start
        while end < bytes.count, (0x30...0x39).contains(bytes[end]) { end += 1 }
        return end
    }

    // MARK: Strings

    /// Consumes a string.
    package mutating func string() throws(JSONFault) -> String {
        var text: [UInt8] = []
        try string(into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the string that comes next, unescaped, as UTF-8.
    package mutating func string(into text: inout [UInt8]) throws(JSONFault) {
        guard take(UInt8(ascii: "\"")) else { throw fault("expected a string") }
        while place < bytes.count {
            // Most of a string needs no decoding: the longest such run is copied at once.
            let start = place
            while place < bytes.count, bytes[place] >= 0x20, bytes[place] != UInt8(ascii: "\""),
                bytes[place] != UInt8(ascii: "\\")
            { place += 1 }
            text.append(contentsOf: bytes[start..<place])
            guard place < bytes.count else { break }
            switch bytes[place] {
            case UInt8(ascii: "\""):
                place += 1
                return
            case UInt8(ascii: "\\"): try escape(into: &text)
            default:
                throw fault(
                    "an unescaped control character in a string (write it as \\u00\(hexadecimal(bytes[place])))")
            }
        }
        throw fault("an unterminated string")
    }

    private func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count < 2 ? "0" + digits : digits
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONFault) {
        guard place + 1 < bytes.count else { throw fault("an unterminated string") }
        let byte = bytes[place + 1]
        let plain: UInt8? =
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): byte
            case UInt8(ascii: "b"): 0x08
            case UInt8(ascii: "f"): 0x0C
            case UInt8(ascii: "n"): 0x0A
            case UInt8(ascii: "r"): 0x0D
            case UInt8(ascii: "t"): 0x09
            default: nil
            }
        if let plain {
            place += 2
            text.append(plain)
            return
        }
        guard byte == UInt8(ascii: "u") else { throw fault("an unknown escape in a string") }
        let first = try unit(at: place)
        place += 6
        var code = first
        if (0xD800..<0xDC00).contains(first), place + 1 < bytes.count, bytes[place] == UInt8(ascii: "\\"),
            bytes[place + 1] == UInt8(ascii: "u")
        {
            let second = try unit(at: place)
            if (0xDC00..<0xE000).contains(second) {
                place += 6
                code = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
            }
        }
        if let scalar = Unicode.Scalar(code) {
            UTF8.encode(scalar).map { text.append(contentsOf: $0) }
            return
        }
        guard loneSurrogates == .replaced else { throw fault("an unpaired surrogate in a string") }
        hasReplaced = true
        text.append(contentsOf: [0xEF, 0xBF, 0xBD])
    }

    /// The code unit of the `\uXXXX` that starts at `start`.
    private func unit(at start: Int) throws(JSONFault) -> UInt32 {
        guard start + 6 <= bytes.count else { throw fault("an unterminated string") }
        var value: UInt32 = 0
        for index in start + 2..<start + 6 {
            guard let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else {
                throw fault("expected four hexadecimal digits after \\u")
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}

/// The position and kind of a JSON syntax error.
package struct JSONFault: Error, Equatable {
    /// What is wrong.
    package let problem: String
    /// Offset of the offending byte.
    package let byteOffset: Int
}
