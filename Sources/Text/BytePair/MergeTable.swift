/// Which two neighbouring tokens merge, and how early: a table of open addressing from pairs of ids to ranks.
struct MergeTable: Sendable {
    /// The rank of a pair that does not merge.
    static let none = UInt32.max
    /// Ranks have 24 of a slot's 64 bits, ids 20 each.
    static let greatestCount = 1 << 24 - 1

    /// (left id, right id, rank) in 20, 20 and 24 bits; all ones where empty, for no id is that great.
    private(set) var slots: [UInt64]
    /// 64 - log2 of the number of slots.
    let shift: UInt64
    /// The id that the merge of each rank makes.
    private(set) var results: [Int32] = []

    init(capacity: Int) {
        let count = max(16, (capacity * 2).nextPowerOfTwo)
        slots = [UInt64](repeating: .max, count: count)
        shift = UInt64(64 - count.trailingZeroBitCount)
    }

    @inline(__always)
    static func slot(of key: UInt64, _ shift: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }

    /// Adds the merge of the next rank.
    /// - Parameter replaces: whether the pair may have a merge already, which then counts no more.
    /// - Returns: false when the pair has one and must not.
    mutating func append(_ left: Int32, _ right: Int32, to result: Int32, replaces: Bool = false) -> Bool {
        let key = UInt64(left) << 20 | UInt64(right)
        var slot = Self.slot(of: key, shift)
        while slots[slot] != .max {
            if slots[slot] >> 24 == key {
                guard replaces else { return false }
                break
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = key << 24 | UInt64(results.count)
        results.append(result)
        return true
    }
}

/// A merge table's storage while it is in use, without the checks of arrays.
struct MergeLookup {
    let slots: UnsafePointer<UInt64>
    let mask: Int
    let shift: UInt64
    let results: UnsafePointer<Int32>

    /// The rank of the pair's merge, `MergeTable.none` where there is none.
    @inline(__always)
    func rank(_ left: Int32, _ right: Int32) -> UInt32 {
        let key = UInt64(truncatingIfNeeded: left) << 20 | UInt64(truncatingIfNeeded: right)
        var slot = MergeTable.slot(of: key, shift)
        while true {
            let entry = slots[slot]
            if entry == .max { return MergeTable.none }
            if entry >> 24 == key { return UInt32(truncatingIfNeeded: entry) & 0xFF_FFFF }
            slot = (slot + 1) & mask
        }
    }
}
