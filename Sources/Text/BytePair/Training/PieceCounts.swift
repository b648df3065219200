/// Counts of distinct pieces in an open-addressing hash table, so that memory grows with the distinct pieces and not
/// with the text.
final class PieceCounts {
    /// A slot of the table; free if `length` is 0, because no piece is empty.
    private struct Entry {
        /// The first eight bytes, little-endian, zero-padded.
        var low: UInt64 = 0
        var count = 0
        /// Offset of the piece in the arena.
        var offset = 0
        var length: Int32 = 0
        /// Upper half of the hash, which distinguishes most pieces without reading their bytes.
        var tag: UInt32 = 0
    }

    /// Number of distinct pieces.
    private(set) var count = 0
    /// Total size of the distinct pieces, bytes.
    private(set) var byteCount = 0

    private var entries: UnsafeMutableBufferPointer<Entry>
    private var arena: UnsafeMutableBufferPointer<UInt8>

    init() {
        entries = .allocate(capacity: 1 << 14)
        entries.initialize(repeating: Entry())
        arena = .allocate(capacity: 1 << 17)
    }

    deinit {
        entries.deallocate()
        arena.deallocate()
    }

    /// Counts one occurrence of a piece.
    /// - Parameters:
    ///   - piece: at least one byte, at most `Int32.max`.
    ///   - readable: number of bytes readable at its start, at least `piece.count`.
    @inline(__always)
    func add(_ piece: UnsafeBufferPointer<UInt8>, readable: Int) {
        guard let base = piece.baseAddress, piece.count > 0 else { return }
        let length = piece.count
        let low = Self.word(base, min(length, 8), readable: readable)
        var hash = Self.mixed(low ^ 0x9E37_79B9_7F4A_7C15, UInt64(truncatingIfNeeded: length) &+ 0xD6E8_FEB8_6659_FD93)
        var index = 8
        while index < length {
            let next = Self.word(base + index, min(length &- index, 8), readable: readable &- index)
            hash = Self.mixed(hash ^ next, 0xC2B2_AE3D_27D4_EB4F)
            index &+= 8
        }
        let tag = UInt32(truncatingIfNeeded: hash >> 32)
        let mask = entries.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while entries[slot].length != 0 {
            if entries[slot].low == low, entries[slot].tag == tag, Int(entries[slot].length) == length,
                length <= 8 || isSame(entries[slot].offset, base, length)
            {
                entries[slot].count &+= 1
                return
            }
            slot = (slot &+ 1) & mask
        }
        insert(Entry(low: low, count: 1, offset: byteCount, length: Int32(length), tag: tag), base, at: slot)
    }

    /// Calls `body` with each distinct piece and its count, in no particular order.
    func forEach(_ body: (UnsafeBufferPointer<UInt8>, Int) -> Void) {
        for entry in entries where entry.length > 0 {
            body(UnsafeBufferPointer(rebasing: arena[entry.offset..<(entry.offset + Int(entry.length))]), entry.count)
        }
    }

    @inline(never)
    private func insert(_ entry: Entry, _ base: UnsafePointer<UInt8>, at slot: Int) {
        let length = Int(entry.length)
        if byteCount + length > arena.count {
            let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(2 * arena.count, byteCount + length))
            _ = larger.update(fromContentsOf: arena[..<byteCount])
            arena.deallocate()
            arena = larger
        }
        _ = UnsafeMutableBufferPointer(rebasing: arena[byteCount...]).update(
            fromContentsOf: UnsafeBufferPointer(start: base, count: length))
        byteCount += length
        entries[slot] = entry
        count += 1
        // At most half full: a search then takes two steps on average.
        if 2 * count > entries.count { grow() }
    }

    private func grow() {
        let larger = UnsafeMutableBufferPointer<Entry>.allocate(capacity: 2 * entries.count)
        larger.initialize(repeating: Entry())
        let old = entries
        entries = larger
        for entry in old where entry.length > 0 {
            var hash = Self.mixed(
                entry.low ^ 0x9E37_79B9_7F4A_7C15,
                UInt64(truncatingIfNeeded: entry.length) &+ 0xD6E8_FEB8_6659_FD93)
            var index = 8
            let length = Int(entry.length)
            while index < length, let base = arena.baseAddress {
                let next = Self.word(
                    base + entry.offset + index, min(length - index, 8), readable: arena.count - entry.offset - index)
                hash = Self.mixed(hash ^ next, 0xC2B2_AE3D_27D4_EB4F)
                index += 8
            }
            var slot = Int(truncatingIfNeeded: hash) & (entries.count - 1)
            while entries[slot].length != 0 { slot = (slot + 1) & (entries.count - 1) }
            entries[slot] = entry
        }
        old.deallocate()
    }

    private func isSame(_ offset: Int, _ base: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        for index in 0..<length where arena[offset &+ index] != base[index] { return false }
        return true
    }

    /// The first `count` <= 8 bytes as a little-endian number.
    @inline(__always)
    private static func word(_ base: UnsafePointer<UInt8>, _ count: Int, readable: Int) -> UInt64 {
        if readable >= 8 {
            let word = UInt64(littleEndian: UnsafeRawPointer(base).loadUnaligned(as: UInt64.self))
            return word & (.max >> UInt64(truncatingIfNeeded: 64 &- 8 &* count))
        }
        var word: UInt64 = 0
        for index in 0..<count { word |= UInt64(base[index]) << UInt64(truncatingIfNeeded: 8 &* index) }
        return word
    }

    @inline(__always)
    private static func mixed(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
