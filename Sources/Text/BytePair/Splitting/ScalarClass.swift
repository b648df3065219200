/// The character classes of splitting; each scalar belongs to exactly one.
///
/// They follow Unicode 16, like other tokenizers: a later standard must not change the pieces of a model's text.
enum ScalarClass {
    /// General category L*.
    static let letter: UInt8 = 0
    /// General category N*.
    static let number: UInt8 = 1
    /// White_Space, the meaning of `\s`.
    static let space: UInt8 = 2
    static let other: UInt8 = 3

    /// The classes of the basic plane, one byte per scalar: computed once in a few milliseconds, then a single load.
    static let basicPlane: [UInt8] = (0..<0x10000).map { compute($0) }

    /// The class of any scalar. `table` is the storage of `basicPlane`.
    @inline(__always)
    static func of(_ value: UInt32, _ table: UnsafePointer<UInt8>) -> UInt8 {
        value < 0x10000 ? table[Int(value)] : compute(value)
    }

    @inline(never)
    private static func compute(_ value: UInt32) -> UInt8 {
        guard let scalar = Unicode.Scalar(value), let age = scalar.properties.age, age.major <= 16 else { return other }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return letter
        case .decimalNumber, .letterNumber, .otherNumber: return number
        default: return scalar.properties.isWhitespace ? space : other
        }
    }
}
