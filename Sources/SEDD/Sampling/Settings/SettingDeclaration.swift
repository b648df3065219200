import Files

/// A value of a setting that a sampling method declares.
public enum SettingValue: Sendable, Hashable, Codable, CustomStringConvertible {
    case number(Double)
    case word(String)

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else {
            self = .word(try container.decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number):
            if let whole = Int(exactly: number) { try container.encode(whole) } else { try container.encode(number) }
        case .word(let word): try container.encode(word)
        }
    }

    public var description: String {
        switch self {
        case .number(let number): Int(exactly: number).map(String.init) ?? "\(number)"
        case .word(let word): word
        }
    }
}

/// A setting of one sampling method.
///
/// The declaration is all that there is to write: the flag of the command line, the keys of run.yaml, of requests and of
/// reports, the property in openapi.json, the control of the page and the column of a study all follow from it.
public struct SettingDeclaration: Sendable, Equatable {
    /// What values there are.
    public enum Kind: Sendable, Equatable {
        case number(ClosedRange<Double>)
        case whole(ClosedRange<Int>)
        case choice([String])
    }

    /// One word, the same on the command line, in YAML, in JSON and in requests.
    public let name: String
    /// One line.
    public let help: String
    public let kind: Kind
    /// What it is unless it is given.
    public let standard: SettingValue

    public init(_ name: String, _ kind: Kind, standard: SettingValue, help: String) {
        self.name = name
        self.help = help
        self.kind = kind
        self.standard = standard
    }

    /// `a number from 0 to 1`, as messages and help say it.
    public var expected: String {
        switch kind {
        case .number(let range):
            "a number from \(SettingValue.number(range.lowerBound)) to \(SettingValue.number(range.upperBound))"
        case .whole(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let words): "one of \(words.joined(separator: ", "))"
        }
    }

    /// - Throws: ``SEDDError`` of kind `usage` for a value of another kind or outside the range.
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

    /// The value that a text, such as an argument of the command line, says.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where it says none that fits.
    public func value(_ text: String) throws(SEDDError) -> SettingValue {
        let value: SettingValue =
            if case .choice = kind { .word(text) } else { Double(text).map { .number($0) } ?? .word(text) }
        try check(value)
        return value
    }
}
