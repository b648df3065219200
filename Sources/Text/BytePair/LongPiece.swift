/// Merges a long piece in O(n log n): tokens in a doubly linked list, candidate merges in a heap.
///
/// The order equals that of the quadratic search: lowest rank first, leftmost among equals.
struct LongPiece {
    /// Beyond this a node's index and a rank do not fit in 64 bits. Callers split or refuse longer pieces.
    static let greatestLength = Int(Int32.max)

    private let lookup: MergeLookup
    private var ids: [Int32]
    private var next: [Int32]
    private var previous: [Int32]
    /// The rank of each token's merge with its successor; `MergeTable.none` also for tokens that were merged away.
    private var ranks: [UInt32]
    /// (rank, index) in 32 bits each. Entries whose rank differs from the node's are stale.
    private var heap: [UInt64] = []

    /// - Parameter ids: the ids of the piece's bytes.
    init(_ ids: [Int32], _ lookup: MergeLookup) {
        self.lookup = lookup
        self.ids = ids
        next = (0..<Int32(ids.count)).map { $0 + 1 }
        previous = (0..<Int32(ids.count)).map { $0 - 1 }
        ranks = [UInt32](repeating: MergeTable.none, count: ids.count)
        heap.reserveCapacity(ids.count)
        for index in ids.indices.dropLast() {
            ranks[index] = lookup.rank(ids[index], ids[index + 1])
            if ranks[index] != MergeTable.none { heap.append(UInt64(ranks[index]) << 32 | UInt64(index)) }
        }
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
    }

    /// Merges until no merge applies, and appends the ids.
    mutating func merge(into target: inout [Int32]) {
        let end = Int32(ids.count)
        while let top = pop() {
            let index = Int(top & 0xFFFF_FFFF)
            let rank = UInt32(top >> 32)
            guard ranks[index] == rank else { continue }
            let right = Int(next[index])
            ids[index] = lookup.results[Int(rank)]
            ranks[right] = MergeTable.none
            next[index] = next[right]
            if next[index] != end { previous[Int(next[index])] = Int32(index) }
            update(index)
            if previous[index] >= 0 { update(Int(previous[index])) }
        }
        var index: Int32 = 0
        while index < end {
            target.append(ids[Int(index)])
            index = next[Int(index)]
        }
    }

    private mutating func update(_ index: Int) {
        let right = Int(next[index])
        ranks[index] = right < ids.count ? lookup.rank(ids[index], ids[right]) : MergeTable.none
        if ranks[index] != MergeTable.none { push(UInt64(ranks[index]) << 32 | UInt64(index)) }
    }

    private mutating func push(_ entry: UInt64) {
        var index = heap.count
        heap.append(entry)
        while index > 0 {
            let parent = (index - 1) / 2
            if heap[parent] <= entry { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = entry
    }

    private mutating func pop() -> UInt64? {
        guard let top = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown(0)
        }
        return top
    }

    private mutating func siftDown(_ start: Int) {
        let entry = heap[start]
        var index = start
        while true {
            var child = 2 * index + 1
            if child >= heap.count { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            if heap[child] >= entry { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = entry
    }
}
