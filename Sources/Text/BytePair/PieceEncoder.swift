/// Per-thread state of encoding: a piece cache and scratch buffers. Checked out of the tokenizer's pool.
final class PieceEncoder {
    /// Up to this length a quadratic search beats a heap.
    private static let greatestShortLength = 48
    /// Number of pieces split before the first is looked up.
    private static let batch = 64

    private let cache = PieceCache()
    private let ids: UnsafeMutablePointer<Int32>
    private let ranks: UnsafeMutablePointer<UInt32>
    private let keys: UnsafeMutablePointer<PieceCache.Key>
    private let ends: UnsafeMutablePointer<Int>
    /// The ids of a batch, at most one per byte.
    private let output: UnsafeMutablePointer<Int32>

    init() {
        ids = .allocate(capacity: Self.greatestShortLength)
        ranks = .allocate(capacity: Self.greatestShortLength)
        keys = .allocate(capacity: Self.batch)
        ends = .allocate(capacity: Self.batch)
        output = .allocate(capacity: (Self.batch + 1) * Self.greatestShortLength)
    }

    deinit {
        cache.deallocate()
        ids.deallocate()
        ranks.deallocate()
        keys.deallocate()
        ends.deallocate()
        output.deallocate()
    }

    /// Appends the ids of a text of valid UTF-8. `byteIds` are the ids of the 256 bytes.
    ///
    /// Splitting runs one batch ahead of lookups, so that cache misses overlap.
    /// - Parameter whole: pieces that are tokens themselves and bypass merging.
    @inline(__always)
    func encode(
        _ scanner: some PieceSplitter, byteIds: UnsafePointer<Int32>, _ lookup: MergeLookup,
        _ whole: VocabularyIndex? = nil, into target: inout [Int32]
    ) {
        var start = 0
        while start < scanner.count {
            let pieces = split(scanner, from: start)
            var filled = 0
            for piece in 0..<pieces {
                let end = ends[piece]
                let length = end &- start
                if length <= PieceCache.greatestLength, let (count, found) = cache.find(keys[piece]) {
                    // Nine at once: a fixed-size copy is faster, and there is room.
                    UnsafeMutableRawPointer(output + filled).copyMemory(
                        from: found, byteCount: PieceCache.greatestCount * 4)
                    filled &+= count
                } else if let whole,
                    let id = whole.id(of: UnsafeBufferPointer(start: scanner.base + start, count: length))
                {
                    output[filled] = id
                    filled &+= 1
                    if length <= PieceCache.greatestLength {
                        ids[0] = id
                        cache.insert(keys[piece], UnsafeBufferPointer(start: ids, count: 1))
                    }
                } else if length <= Self.greatestShortLength {
                    let count = merge(scanner.base + start, length, byteIds, lookup)
                    (output + filled).update(from: ids, count: count)
                    filled &+= count
                    if length <= PieceCache.greatestLength {
                        cache.insert(keys[piece], UnsafeBufferPointer(start: ids, count: count))
                    }
                } else {
                    target.append(contentsOf: UnsafeBufferPointer(start: output, count: filled))
                    filled = 0
                    let bytes = UnsafeBufferPointer(start: scanner.base + start, count: length)
                    var long = LongPiece(bytes.map { byteIds[Int($0)] }, lookup)
                    long.merge(into: &target)
                }
                start = end
            }
            target.append(contentsOf: UnsafeBufferPointer(start: output, count: filled))
        }
    }

    /// Finds the next pieces: their ends and, for those that may be cached, their keys.
    /// - Returns: number of pieces, at most `batch`.
    @inline(__always)
    private func split(_ scanner: some PieceSplitter, from start: Int) -> Int {
        var start = start
        var pieces = 0
        while pieces < Self.batch, start < scanner.count {
            let end = scanner.end(from: start)
            let length = end &- start
            if length <= PieceCache.greatestLength {
                keys[pieces] = PieceCache.Key(scanner.base + start, length: length, readable: scanner.count &- start)
            }
            ends[pieces] = end
            start = end
            pieces &+= 1
        }
        return pieces
    }

    /// Merges a short piece into `ids`.
    /// - Returns: number of ids.
    private func merge(
        _ piece: UnsafePointer<UInt8>, _ length: Int, _ byteIds: UnsafePointer<Int32>, _ lookup: MergeLookup
    ) -> Int {
        var count = length
        for index in 0..<count { ids[index] = byteIds[Int(piece[index])] }
        // ranks[i] is the rank of merging ids[i] with ids[i + 1].
        for index in 0..<(count - 1) { ranks[index] = lookup.rank(ids[index], ids[index + 1]) }
        while count > 1 {
            var best = MergeTable.none
            var place = 0
            for index in 0..<(count - 1) where ranks[index] < best {
                best = ranks[index]
                place = index
            }
            if best == MergeTable.none { break }
            ids[place] = lookup.results[Int(best)]
            count -= 1
            for index in (place + 1)..<count {
                ids[index] = ids[index + 1]
                ranks[index] = index < count - 1 ? ranks[index + 1] : MergeTable.none
            }
            ranks[place] = place + 1 < count ? lookup.rank(ids[place], ids[place + 1]) : MergeTable.none
            if place > 0 { ranks[place - 1] = lookup.rank(ids[place - 1], ids[place]) }
        }
        return count
    }
}
