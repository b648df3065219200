/// 64-bit FNV-1a: stable across runs, machines and versions, unlike Swift's `Hasher`.
struct Fingerprint {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }

    /// Text with a terminator, so that "ab", "c" and "a", "bc" differ.
    mutating func combine(_ text: String) {
        combine(text.utf8)
        combine(CollectionOfOne(0))
    }

    /// Integers, one step each, for large arrays.
    mutating func combine(words: some Sequence<Int64>) {
        for word in words { value = (value ^ UInt64(bitPattern: word)) &* 0x0000_0100_0000_01B3 }
    }

    /// An integer as eight little-endian bytes.
    mutating func combine(_ number: Int) {
        for shift in stride(from: 0, to: 64, by: 8) {
            combine(CollectionOfOne(UInt8(truncatingIfNeeded: number >> shift)))
        }
    }

    /// Sixteen hexadecimal digits.
    var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
