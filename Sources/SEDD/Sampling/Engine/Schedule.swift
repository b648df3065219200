import Files

/// Which sequences meet the network together next.
///
/// Every job has an account. Each step of one of its sequences costs that sequence's tokens, and the job that has used the least
/// goes first. Others of the same length share the evaluation as far as they fit and as far as their account does not run ahead of a
/// job that waits. So every job gets the same share of the processor however many sequences it has and whatever it is beside; a
/// short one is done early however many long ones run, a job that is alone fills whole evaluations, and none starves. A job that
/// joins, or returns after being skipped, starts at the account of those that are served now: idling earns no priority.
struct Schedule {
    /// One sequence of one job.
    struct Row: Hashable {
        let job: Int
        let index: Int
    }

    private struct Entry {
        let row: Row
        let length: Int
        /// Steps that it has taken; of one job's sequences those with the fewest go first.
        var steps = 0
    }

    private struct Account {
        var rows: [Entry] = []
        /// Tokens of all steps.
        var paid: Int
        var wasSkipped = false
    }

    private var accounts: [Int: Account] = [:]
    /// What the last job to be served first had paid before.
    private var clock = 0

    /// Sequences that are scheduled.
    var count: Int { accounts.values.reduce(0) { $0 + $1.rows.count } }

    mutating func add(_ row: Row, length: Int) {
        accounts[row.job, default: Account(paid: clock)].rows.append(Entry(row: row, length: length))
    }

    /// Takes out all sequences for which `condition` holds.
    mutating func removeAll(where condition: (Row) -> Bool) {
        for job in accounts.keys {
            accounts[job]?.rows.removeAll { condition($0.row) }
            if accounts[job]?.rows.isEmpty == true { accounts[job] = nil }
        }
    }

    /// The next sequences, all of one length, no more than `tokens` of them together but at least one; each pays for its step.
    ///
    /// - Parameter ready: sequences for which it does not hold are skipped.
    mutating func next(tokens: Int, ready: (Row) -> Bool) -> [Row]? {
        var waiting = readyEntries(ready)
        guard let first = waiting.keys.min(by: isBefore), let length = waiting[first]?.first?.length else { return nil }
        clock = max(clock, accounts[first]?.paid ?? 0)
        let most = max(1, tokens / max(1, length))
        var chosen: [Row] = []
        while chosen.count < most, let (job, place) = candidate(waiting, length), isDue(job, waiting) {
            guard let entry = waiting[job]?.remove(at: place) else { break }
            chosen.append(entry.row)
            pay(entry.row, length)
        }
        return chosen
    }

    /// The sequences of each job that can take a step, those with the fewest steps first.
    private mutating func readyEntries(_ ready: (Row) -> Bool) -> [Int: [Entry]] {
        var found: [Int: [Entry]] = [:]
        for job in accounts.keys {
            guard let account = accounts[job] else { continue }
            let entries = account.rows.filter { ready($0.row) }
            if entries.isEmpty {
                accounts[job]?.wasSkipped = true
            } else {
                if account.wasSkipped { accounts[job]?.paid = max(account.paid, clock) }
                accounts[job]?.wasSkipped = false
                found[job] = entries.sorted { ($0.steps, $0.row.index) < ($1.steps, $1.row.index) }
            }
        }
        return found
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        (accounts[a]?.paid ?? 0, a) < (accounts[b]?.paid ?? 0, b)
    }

    /// The next sequence of `length` tokens: of the job that has paid least.
    private func candidate(_ waiting: [Int: [Entry]], _ length: Int) -> (job: Int, place: Int)? {
        let places = waiting.compactMap { job, entries in
            entries.firstIndex { $0.length == length }.map { (job: job, place: $0) }
        }
        return places.min { isBefore($0.job, $1.job) }
    }

    /// Whether another sequence of `job` can go without that the job runs ahead of another that is ready: one that is not may use
    /// what is left.
    private func isDue(_ job: Int, _ ready: [Int: [Entry]]) -> Bool {
        let paid = accounts[job]?.paid ?? 0
        return ready.keys.allSatisfy { $0 == job || paid <= accounts[$0]?.paid ?? 0 }
    }

    private mutating func pay(_ row: Row, _ tokens: Int) {
        accounts[row.job]?.paid += tokens
        if let place = accounts[row.job]?.rows.firstIndex(where: { $0.row == row }) {
            accounts[row.job]?.rows[place].steps += 1
        }
    }
}
