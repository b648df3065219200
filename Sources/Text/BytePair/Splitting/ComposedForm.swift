import Files
import Foundation

/// Unicode Normalization Form C, for tokenizers that normalize before splitting.
///
/// Only runs that could change are passed to the system: characters not known to be inert, each run with the character
/// before it.
enum ComposedForm {
    /// Composition follows Unicode 9, as in the tokenizers whose ids must be reproduced: characters added later do not
    /// combine.
    private static let standard = 9

    /// Outside the basic plane: characters that compose, and those that only decompose. (Others must not reach the
    /// system, which confuses U+B00D5 with U+00D5.)
    private static let firstParts: Set<UInt32> = [
        0x11099, 0x1109B, 0x110A5, 0x11131, 0x11132, 0x11347, 0x114B9, 0x115B8, 0x115B9,
    ]
    private static let laterParts: Set<UInt32> = [0x11127, 0x1133E, 0x11357, 0x114B0, 0x114BA, 0x114BD, 0x115AF]
    private static let decomposed: [ClosedRange<UInt32>] = [
        0x1D15E...0x1D164, 0x1D1BB...0x1D1C0, 0x2F800...0x2FA1D,
    ]

    private static func isComposed(_ value: UInt32) -> Bool {
        guard let age = Unicode.Scalar(value)?.properties.age, age.major <= standard else { return false }
        return value < 0x10000 || firstParts.contains(value)
    }

    /// Whether a character outside the ranges of `isInert` may change, or change the character before it.
    private static func changes(_ value: UInt32) -> Bool {
        guard let scalar = Unicode.Scalar(value), let age = scalar.properties.age, age.major <= standard else {
            return false
        }
        if value < 0x10000 { return true }
        return scalar.properties.canonicalCombiningClass != .notReordered || laterParts.contains(value)
            || decomposed.contains { $0.contains(value) }
    }

    /// The normalized text; nil if it is already normalized.
    static func of(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard let base = text.baseAddress else { return nil }
        var result: [UInt8] = []
        // Text up to `copied` is normalized and, once anything has changed, stored in `result`.
        var copied = 0
        var index = 0
        var previous = 0
        var hasChanged = false
        while index < text.count {
            if text[index] < 0x80 {
                previous = index
                index += 1
                continue
            }
            let (value, length) = UTF8Bytes.scalar(at: index, in: base)
            if isInert(value) {
                previous = index
                index += length
                continue
            }
            // From the character before the run, if it can compose, to the next character that cannot be affected by
            // preceding ones.
            let start =
                previous < index && isComposed(UTF8Bytes.scalar(at: previous, in: base).value) ? previous : index
            var end = index
            while end < text.count {
                let (value, length) = UTF8Bytes.scalar(at: end, in: base)
                if isInert(value) { break }
                end += length
            }
            let run = text[start..<end]
            let composed = Array(Self.ordered(run).precomposedStringWithCanonicalMapping.utf8)
            if !run.elementsEqual(composed) {
                hasChanged = true
                result += text[copied..<start]
                result += composed
                copied = end
            }
            previous = end
            index = end
        }
        guard hasChanged else { return nil }
        return result + text[copied...]
    }

    /// A run with those characters decomposed that the system composes incorrectly: four that combine with preceding
    /// characters without being combining marks, and Hangul syllables.
    private static func ordered(_ run: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in String(decoding: run, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0x344: scalars.append(contentsOf: "\u{308}\u{301}".unicodeScalars)
            case 0xF73: scalars.append(contentsOf: "\u{F71}\u{F72}".unicodeScalars)
            case 0xF75: scalars.append(contentsOf: "\u{F71}\u{F74}".unicodeScalars)
            // A two-letter syllable, which the system does not compose with a third letter.
            case 0xAC00...0xD7A3 where (scalar.value - 0xAC00) % 28 == 0:
                let place = (scalar.value - 0xAC00) / 28
                for value in [0x1100 + place / 21, 0x1161 + place % 21] {
                    if let letter = Unicode.Scalar(value) { scalars.append(letter) }
                }
            case 0xF81: scalars.append(contentsOf: "\u{F71}\u{F80}".unicodeScalars)
            default: scalars.append(scalar)
            }
        }
        return String(scalars)
    }

    /// Whether a character is normalized in any context: ranges without combining marks and without decompositions.
    @inline(__always)
    private static func isInert(_ value: UInt32) -> Bool {
        switch value {
        case 0..<0x300, 0x388...0x482, 0x48A...0x52F, 0x531...0x556, 0x561...0x587, 0x5D0...0x5EA, 0x621...0x64A,
            0x904...0x939, 0x93D...0x94C, 0xE01...0xE30, 0x10D0...0x10FA, 0x1E00...0x1EFF, 0x200B...0x200F,
            0x2010...0x2027, 0x2030...0x205E, 0x20A0...0x20BF, 0x2190...0x21FF,
            0x2200...0x22FF, 0x2460...0x27BF, 0x3001...0x3029, 0x3041...0x3096, 0x30A1...0x30FC, 0x4E00...0x9FFF,
            0xAC00...0xD7A3, 0xFE00...0xFE0F, 0xFF01...0xFF5E, 0x1F300...0x1FAFF:
            true
        default: !changes(value)
        }
    }
}
