/// A fixed-size cache of the ids of pieces, in which new pieces evict old ones.
///
/// A slot is one 64-byte cache line: the piece's bytes (at most 23) and length in 24, the number of ids in 4, and at
/// most 9 ids in 36. Most words fit; longer pieces are merged each time.
struct PieceCache {
    static let greatestLength = 23
    static let greatestCount = 9
    private static let bits = 16

    struct Key {
        var low: UInt64 = 0
        var middle: UInt64 = 0
        /// Seven bytes, with the length in the highest.
        var high: UInt64 = 0
        /// Byte offset of the piece's slot.
        private(set) var offset = 0

        /// - Parameter readable: number of bytes readable at `piece`, at least `length`.
        @inline(__always)
        init(_ piece: UnsafePointer<UInt8>, length: Int, readable: Int) {
            let raw = UnsafeRawPointer(piece)
            if readable >= 24 {
                // Whole words are loaded, and bytes beyond the piece are masked.
                low = Self.load(raw, 0) & Self.mask(min(length, 8))
                if length > 8 {
                    middle = Self.load(raw, 8) & Self.mask(min(length - 8, 8))
                    if length > 16 { high = Self.load(raw, 16) & Self.mask(length - 16) }
                }
            } else {
                for index in 0..<length {
                    let byte = UInt64(piece[index]) << UInt64(index % 8 * 8)
                    if index < 8 { low |= byte } else if index < 16 { middle |= byte } else { high |= byte }
                }
            }
            high |= UInt64(truncatingIfNeeded: length) << 56
            let product = (low ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: high ^ 0xC2B2_AE3D_27D4_EB4F)
            let mixed = (product.high ^ product.low ^ middle) &* 0xD6E8_FEB8_6659_FD93
            offset = Int(truncatingIfNeeded: mixed >> UInt64(64 - PieceCache.bits)) << 6
        }

        @inline(__always)
        private static func load(_ raw: UnsafeRawPointer, _ offset: Int) -> UInt64 {
            UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }

        /// Ones in the lowest `count` bytes, 1...8.
        @inline(__always)
        private static func mask(_ count: Int) -> UInt64 { .max >> UInt64(truncatingIfNeeded: 64 - 8 * count) }
    }

    private let slots: UnsafeMutableRawPointer

    init() {
        let size = 64 << Self.bits
        slots = .allocate(byteCount: size, alignment: 64)
        slots.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    }

    func deallocate() { slots.deallocate() }

    /// The count and the ids of a piece, nil if it is not cached.
    @inline(__always)
    func find(_ key: Key) -> (count: Int, ids: UnsafePointer<Int32>)? {
        // An entry is in its own slot or the other slot of an aligned pair, matching the granularity of prefetching.
        var slot = slots + key.offset
        if !matches(slot, key) {
            slot = slots + (key.offset ^ 64)
            if !matches(slot, key) { return nil }
        }
        let numbers = UnsafePointer((slot + 24).assumingMemoryBound(to: Int32.self))
        return (Int(numbers[0]), numbers + 1)
    }

    @inline(__always)
    private func matches(_ slot: UnsafeMutableRawPointer, _ key: Key) -> Bool {
        let words = slot.assumingMemoryBound(to: UInt64.self)
        return words[0] == key.low && words[2] == key.high && words[1] == key.middle
    }

    /// Caches the ids of a piece, if they fit. The previous piece in the slot moves to the other slot of the pair.
    func insert(_ key: Key, _ ids: UnsafeBufferPointer<Int32>) {
        guard ids.count <= Self.greatestCount, let base = ids.baseAddress else { return }
        let slot = slots + key.offset
        if slot.load(fromByteOffset: 24, as: Int32.self) > 0 {
            (slots + (key.offset ^ 64)).copyMemory(from: slot, byteCount: 64)
        }
        slot.storeBytes(of: key.low, as: UInt64.self)
        slot.storeBytes(of: key.middle, toByteOffset: 8, as: UInt64.self)
        slot.storeBytes(of: key.high, toByteOffset: 16, as: UInt64.self)
        slot.storeBytes(of: Int32(ids.count), toByteOffset: 24, as: Int32.self)
        (slot + 28).copyMemory(from: base, byteCount: ids.count * 4)
    }
}
