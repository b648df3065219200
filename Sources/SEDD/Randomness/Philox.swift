/// Philox4x32-10: a function from (key, counter) to four random words, with no state.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
public struct Philox: Sendable {
    let key: (UInt32, UInt32)

    /// Different keys give independent functions.
    public init(key: UInt64) {
        self.key = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
    }

    /// The four words of `counter`.
    @inlinable
    public func words(_ counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var c = counter
        var (k0, k1) = keyWords
        for _ in 0..<10 {
            let p0 = UInt64(0xD251_1F53) * UInt64(c[0])
            let p1 = UInt64(0xCD9E_8D57) * UInt64(c[2])
            c = SIMD4(
                UInt32(truncatingIfNeeded: p1 >> 32) ^ c[1] ^ k0, UInt32(truncatingIfNeeded: p1),
                UInt32(truncatingIfNeeded: p0 >> 32) ^ c[3] ^ k1, UInt32(truncatingIfNeeded: p0))
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return c
    }

    @usableFromInline var keyWords: (UInt32, UInt32) { key }

    /// A number in (0, 1) with 52 random bits, never 0 and never 1.
    @inlinable
    public func uniform(_ counter: SIMD4<UInt32>) -> Double {
        let w = words(counter)
        let bits = (UInt64(w[0]) << 32 | UInt64(w[1])) >> 12
        return (Double(bits) + 0.5) * 0x1p-52
    }

    /// An integer in 0..<bound; the bias is below bound / 2^64.
    @inlinable
    public func integer(below bound: Int, _ counter: SIMD4<UInt32>) -> Int {
        let w = words(counter)
        return Int((UInt64(w[0]) << 32 | UInt64(w[1])).multipliedFullWidth(by: UInt64(bound)).high)
    }
}
