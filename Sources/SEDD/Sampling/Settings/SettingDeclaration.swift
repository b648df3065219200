import Files

/// A value of a setting declared by a sampling method.
public enum SettingValue: Sendable, Hashable, Codable, CustomStringConvertible {
    /// A number, whole or not.
    case number(Double)
    /// One of the words of a choice.
    case word(String)

    /// Reads a number or a string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else {
            self = .word(try container.decode(String.self))
        }
    }

    /// Writes a whole number without a decimal point.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number):
            if let whole = Int(exactly: number) { try container.encode(whole) } else { try container.encode(number) }
        case .word(let word): try container.encode(word)
        }
    }

    /// The value as text, as the command line accepts it.
    public var description: String {
        switch self {
        case .number(let number): Int(exactly: number).map(String.init) ?? "\(number)"
        case .word(let word): word
        }
    }
}

/// A setting of one sampling method.
///
/// The declaration is the single source: the command-line flag, the keys of run.yaml, requests and reports, the
/// property in openapi.json, the page's control and the study's column are derived from it.
public struct SettingDeclaration: Sendable, Equatable {
    /// The admissible values.
    public enum Kind: Sendable, Equatable {
        /// Numbers in the range.
        case number(ClosedRange<Double>)
        /// Whole numbers in the range.
        case whole(ClosedRange<Int>)
        /// One of the words.
        case choice([String])
    }

    /// Identical on the command line, in YAML, in JSON and in requests; one word, except for the filters `top_k` and
    /// `top_p` (`--top-k`, and `topK` in JSON lines).
    public let name: String
    /// One line of help.
    public let help: String
    /// The admissible values.
    public let kind: Kind
    /// The default.
    public let standard: SettingValue

    /// Declares a setting.
    public init(_ name: String, _ kind: Kind, standard: SettingValue, help: String) {
        self.name = name
        self.help = help
        self.kind = kind
        self.standard = standard
    }

    /// The admissible values as text, such as `a number from 0 to 1`, for messages and help.
    public var expected: String {
        switch kind {
        case .number(let range):
            "a number from \(SettingValue.number(range.lowerBound)) to \(SettingValue.number(range.upperBound))"
        case .whole(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let words): "one of \(words.joined(separator: ", "))"
        }
    }

    /// - Throws: ``SEDDError`` of kind `usage` for a value of another type or outside the range.
    public func check(_ value: SettingValue) throws(SEDDError) {
        let fits =
            switch (kind, value) {
            case (.number(let range), .number(let number)): range.contains(number)
            case (.whole(let range), .number(let number)): Int(exactly: number).map(range.contains) ?? false
            case (.choice(let words), .word(let word)): words.contains(word)
            default: false
            }
        guard fits else { throw SEDDError(.usage, "\(name) is \(value); expected \(expected)") }
    }

    /// Parses a value from text, such as a command-line argument.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if it is not an admissible value.
    public func value(_ text: String) throws(SEDDError) -> SettingValue {
        let value: SettingValue =
            if case .choice = kind { .word(text) } else { Double(text).map { .number($0) } ?? .word(text) }
        try check(value)
        return value
    }
}
