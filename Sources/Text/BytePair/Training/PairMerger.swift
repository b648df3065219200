/// The words of a text as token sequences that are merged step by step. Counts of adjacent pairs are updated
/// incrementally, so that a merge costs only the words that contain it.
///
/// Order and ties equal those of Hugging Face's trainer (`tokenizers`, models/bpe/trainer.rs):
/// - the most frequent pair first; among equals the one with the smaller ids (left, then right);
/// - a stale count in the queue is refreshed when it reaches the top;
/// - the count of a merged pair is not reset, which matters only if a later merge recreates the pair;
/// - words are merged left to right without overlap.
final class PairMerger {
    /// Maximum total size of distinct pieces, bytes: each byte adds at most three list members, which have 32-bit
    /// indices.
    static let greatestByteCount = 1 << 29

    private struct Word {
        let start: Int
        var length: Int32
        let count: Int
    }

    private var words: [Word] = []
    private let tokens: UnsafeMutableBufferPointer<Int32>
    private let table = PairTable()
    private var queue = PairQueue()

    /// - Parameters:
    ///   - pieces: at most `greatestByteCount` bytes in total.
    ///   - byteIds: the ids of the 256 bytes.
    init(_ pieces: PieceCounts, byteIds: [Int32]) {
        tokens = .allocate(capacity: max(1, pieces.byteCount))
        words.reserveCapacity(pieces.count)
        var end = 0
        pieces.forEach { piece, count in
            // A single byte has no neighbour.
            guard piece.count > 1 else { return }
            words.append(Word(start: end, length: Int32(piece.count), count: count))
            for byte in piece {
                tokens[end] = byteIds[Int(byte)]
                end += 1
            }
        }
        for (index, word) in words.enumerated() {
            for place in word.start..<(word.start + Int(word.length) - 1) {
                table.add(TokenPair(tokens[place], tokens[place + 1]), word.count, in: Int32(index))
            }
        }
        queueLists()
    }

    deinit { tokens.deallocate() }

    /// The next pair to merge, with the words that contain it; nil if none occurs `minimum` times.
    func next(minimum: Int) -> PairQueue.Entry? {
        while var top = queue.pop() {
            let count = table.count(of: top.pair)
            if top.count == count { return count >= max(1, minimum) ? top : nil }
            top.count = count
            queue.push(top)
        }
        return nil
    }

    /// Replaces the pair with `token` in its words.
    func merge(_ entry: PairQueue.Entry, into token: Int32) {
        table.consume(entry.list) { merge(entry.pair, into: token, word: $0) }
        queueLists()
    }

    private func queueLists() {
        table.takeLists { pair, count, list in queue.push(PairQueue.Entry(count: count, pair: pair, list: list)) }
    }

    private func merge(_ pair: TokenPair, into token: Int32, word index: Int32) {
        let word = words[Int(index)]
        let (left, right, count) = (pair.left, pair.right, word.count)
        let end = word.start + Int(word.length)
        var read = word.start
        var write = word.start
        while read < end {
            guard tokens[read] == left, read + 1 < end, tokens[read + 1] == right else {
                tokens[write] = tokens[read]
                read += 1
                write += 1
                continue
            }
            if write > word.start {
                table.subtract(TokenPair(tokens[write - 1], left), count)
                table.add(TokenPair(tokens[write - 1], token), count, in: index)
            }
            tokens[write] = token
            read += 2
            write += 1
            if read < end {
                table.subtract(TokenPair(right, tokens[read]), count)
                table.add(TokenPair(token, tokens[read]), count, in: index)
            }
        }
        words[Int(index)].length = Int32(write - word.start)
    }
}
