/// Runs of ASCII letters, which dominate most text.
enum ASCIILetters {
    /// Skips letters eight bytes at a time, so that most words end without a branch misprediction. The last bytes of
    /// the text are left to the caller.
    @inline(__always)
    static func end(in base: UnsafePointer<UInt8>, _ count: Int, from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let word = UInt64(
                littleEndian: UnsafeRawPointer(base).loadUnaligned(fromByteOffset: index, as: UInt64.self))
            // Per byte, case-folded: the highest bit says "at least a", "beyond z", "not ASCII".
            let folded = (word & 0x7F7F_7F7F_7F7F_7F7F) | 0x2020_2020_2020_2020
            let fromA = folded &+ 0x1F1F_1F1F_1F1F_1F1F
            let beyondZ = folded &+ 0x0505_0505_0505_0505
            let others = ~(fromA & ~beyondZ & ~word) & 0x8080_8080_8080_8080
            if others != 0 { return index &+ others.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        return index
    }
}
