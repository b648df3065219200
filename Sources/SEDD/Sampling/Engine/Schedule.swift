import Files

/// Which sequences meet the network together next.
///
/// A sequence pays for each of its steps with its tokens; those that have paid least go first, and with them all others of the
/// same length that fit. So every sequence gets the same share of the processor whatever it is beside, a short one is done
/// early however many long ones run, and none starves. Who comes, or comes back after having been passed over, starts even with
/// those that are served now: waiting earns no credit.
struct Schedule {
    /// One sequence of one job.
    struct Row: Hashable {
        let job: Int
        let index: Int
    }

    private struct Entry {
        let row: Row
        let length: Int
        var paid: Int
        var wasPassedOver = false
    }

    private var entries: [Entry] = []
    /// What the last one to be served had paid before.
    private var clock = 0

    /// Sequences that are scheduled.
    var count: Int { entries.count }

    mutating func add(_ row: Row, length: Int) {
        entries.append(Entry(row: row, length: length, paid: clock))
    }

    /// Takes out all sequences for which `condition` holds.
    mutating func removeAll(where condition: (Row) -> Bool) {
        entries.removeAll { condition($0.row) }
    }

    /// The next sequences, all of one length, no more than `tokens` of them together but at least one; each pays for its step.
    ///
    /// - Parameter ready: sequences for which it does not hold are passed over.
    mutating func next(tokens: Int, ready: (Row) -> Bool) -> [Row]? {
        for index in entries.indices {
            guard ready(entries[index].row) else {
                entries[index].wasPassedOver = true
                continue
            }
            if entries[index].wasPassedOver { entries[index].paid = max(entries[index].paid, clock) }
            entries[index].wasPassedOver = false
        }
        let order = entries.indices.filter { !entries[$0].wasPassedOver }.sorted {
            (entries[$0].paid, $0) < (entries[$1].paid, $1)
        }
        guard let first = order.first else { return nil }
        clock = max(clock, entries[first].paid)
        let length = entries[first].length
        let chosen = order.filter { entries[$0].length == length }.prefix(max(1, tokens / max(1, length)))
        for index in chosen { entries[index].paid += length }
        return chosen.map { entries[$0].row }
    }
}
