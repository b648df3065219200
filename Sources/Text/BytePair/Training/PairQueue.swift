/// The pairs that may merge next, in a heap: the most frequent first, of equally frequent ones the smaller ids.
struct PairQueue {
    struct Entry {
        /// Occurrences when the entry was made; the pair may have fewer or more since.
        var count: Int
        let pair: TokenPair
        /// The words it stands in: a list of ``PairTable``.
        let list: Int32

        @inline(__always)
        func precedes(_ other: Entry) -> Bool {
            count != other.count ? count > other.count : pair < other.pair
        }
    }

    private var entries: [Entry] = []

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var index = entries.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.precedes(entries[parent]) else { break }
            entries[index] = entries[parent]
            index = parent
        }
        entries[index] = entry
    }

    mutating func pop() -> Entry? {
        guard let top = entries.first, let last = entries.popLast() else { return nil }
        if !entries.isEmpty { sink(last) }
        return top
    }

    /// Puts `entry` in the place of the first, and moves it to where it belongs.
    private mutating func sink(_ entry: Entry) {
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].precedes(entries[child]) { child += 1 }
            guard entries[child].precedes(entry) else { break }
            entries[index] = entries[child]
            index = child
        }
        entries[index] = entry
    }
}
