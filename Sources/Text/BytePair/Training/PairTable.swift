/// Two adjacent tokens, with the left id in the upper half: numeric order equals (left, right) order.
typealias TokenPair = UInt64

extension TokenPair {
    @inline(__always)
    init(_ left: Int32, _ right: Int32) {
        self = UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    var left: Int32 { Int32(truncatingIfNeeded: self >> 32) }
    var right: Int32 { Int32(truncatingIfNeeded: self) }
}

/// Counts of adjacent token pairs, and the words in which each has newly appeared since the last query.
///
/// The words of a pair form a linked list; all lists share one pool, to which consumed lists are returned.
final class PairTable {
    /// The end of a list.
    static let none: Int32 = -1

    private struct Slot {
        var pair = TokenPair.max
        var count = 0
        /// The newest member of the list.
        var head = PairTable.none
        /// The word of that member.
        var lastWord = PairTable.none
    }

    private struct Member {
        var word: Int32
        var next: Int32
    }

    private var slots = UnsafeMutableBufferPointer<Slot>.allocate(capacity: 1 << 16)
    private var used = 0
    private var pool = UnsafeMutableBufferPointer<Member>.allocate(capacity: 1 << 16)
    private var poolUsed = 0
    private var free = PairTable.none
    /// Pairs whose lists have become nonempty.
    private var touched: [TokenPair] = []

    init() { slots.initialize(repeating: Slot()) }

    deinit {
        slots.deallocate()
        pool.deallocate()
    }

    /// Occurrences of a pair.
    func count(of pair: TokenPair) -> Int { slots[find(pair)].count }

    /// Adds `count` occurrences of a pair in a word.
    @inline(__always)
    func add(_ pair: TokenPair, _ count: Int, in word: Int32) {
        let slot = find(pair)
        slots[slot].count &+= count
        guard slots[slot].lastWord != word else { return }
        let head = slots[slot].head
        slots[slot].lastWord = word
        slots[slot].head = member(word, before: head)
        if head == Self.none { touched.append(pair) }
        if slots[slot].pair == .max {
            slots[slot].pair = pair
            used += 1
            if 2 * used > slots.count { grow() }
        }
    }

    /// Subtracts occurrences of a pair that is in the table.
    @inline(__always)
    func subtract(_ pair: TokenPair, _ count: Int) { slots[find(pair)].count &-= count }

    /// Hands over the lists that have grown since the last call, with their pairs and counts. Lists of pairs that no
    /// longer occur are dropped.
    func takeLists(_ body: (_ pair: TokenPair, _ count: Int, _ list: Int32) -> Void) {
        for pair in touched {
            let slot = find(pair)
            let list = slots[slot].head
            slots[slot].head = Self.none
            slots[slot].lastWord = Self.none
            if slots[slot].count > 0 { body(pair, slots[slot].count, list) } else { consume(list) { _ in } }
        }
        touched.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with each word of a list, and returns the list to the pool.
    func consume(_ list: Int32, _ body: (Int32) -> Void) {
        var index = list
        while index != Self.none {
            let member = pool[Int(index)]
            body(member.word)
            pool[Int(index)].next = free
            free = index
            index = member.next
        }
    }

    /// The slot of a pair, or the free slot where it belongs.
    @inline(__always)
    private func find(_ pair: TokenPair) -> Int {
        let mask = slots.count &- 1
        let product = pair &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: product ^ product >> 32) & mask
        while slots[slot].pair != pair, slots[slot].pair != .max { slot = (slot &+ 1) & mask }
        return slot
    }

    @inline(__always)
    private func member(_ word: Int32, before next: Int32) -> Int32 {
        if free != Self.none {
            let index = free
            free = pool[Int(index)].next
            pool[Int(index)] = Member(word: word, next: next)
            return index
        }
        if poolUsed == pool.count { growPool() }
        pool[poolUsed] = Member(word: word, next: next)
        poolUsed += 1
        return Int32(truncatingIfNeeded: poolUsed - 1)
    }

    @inline(never)
    private func grow() {
        let old = slots
        slots = .allocate(capacity: 2 * old.count)
        slots.initialize(repeating: Slot())
        for entry in old where entry.pair != .max { slots[find(entry.pair)] = entry }
        old.deallocate()
    }

    @inline(never)
    private func growPool() {
        let larger = UnsafeMutableBufferPointer<Member>.allocate(capacity: 2 * pool.count)
        _ = larger.update(fromContentsOf: pool)
        pool.deallocate()
        pool = larger
    }
}
