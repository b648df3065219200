/// An open-addressing hash table from pairs of token ids to merge ranks.
struct MergeTable: Sendable {
    /// The rank of pairs that do not merge.
    static let none = UInt32.max
    /// Ranks have 24 of a slot's 64 bits, ids 20 each.
    static let greatestCount = 1 << 24 - 1

    /// (left id, right id, rank) in 20, 20 and 24 bits; all ones if empty, which no id pair equals.
    private(set) var slots: [UInt64]
    /// 64 - log2 of the number of slots.
    let shift: UInt64
    /// The id that results from the merge of each rank.
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

    /// Adds the merge with the next rank.
    /// - Parameter replaces: whether the pair may already have a merge, which is then replaced.
    /// - Returns: false if the pair already has a merge and must not.
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

/// Unchecked access to a merge table's storage during encoding.
struct MergeLookup {
    let slots: UnsafePointer<UInt64>
    let mask: Int
    let shift: UInt64
    let results: UnsafePointer<Int32>

    /// The rank of the pair's merge, `MergeTable.none` if there is none.
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
