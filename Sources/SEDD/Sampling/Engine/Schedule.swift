import Files

/// Fair scheduling: which sequences go through the network next.
///
/// Every job has an account that is charged the tokens of each step of its sequences, and the job with the lowest
/// balance goes first. Other sequences of equal length share the evaluation as long as they fit and their account does
/// not overtake that of a waiting job. So every job gets an equal share of the processor however many sequences it has,
/// a short job finishes early beside long ones, a single job fills whole evaluations, and none starves. A job that
/// joins, or returns after being skipped, starts at the current virtual time: idling earns no priority.
struct Schedule {
    /// One sequence of one job.
    struct SequenceID: Hashable {
        let job: Int
        let index: Int
    }

    private struct Entry {
        let sequence: SequenceID
        let length: Int
        /// Steps taken so far; among the sequences of a job, those with the fewest go first.
        var steps = 0
    }

    private struct Account {
        /// By the sequence's index in its job.
        var sequences: [Int: Entry] = [:]
        /// Tokens charged for all steps.
        var paid: Int
        var wasSkipped = false
    }

    private var accounts: [Int: Account] = [:]
    /// The virtual time: the balance of the job most recently served first, before it was charged.
    private var clock = 0

    /// Number of scheduled sequences.
    var count: Int { accounts.values.reduce(0) { $0 + $1.sequences.count } }

    mutating func add(_ sequence: SequenceID, length: Int) {
        accounts[sequence.job, default: Account(paid: clock)].sequences[sequence.index] = Entry(
            sequence: sequence, length: length)
    }

    /// Removes all sequences that satisfy `condition`.
    mutating func removeAll(where condition: (SequenceID) -> Bool) {
        for job in accounts.keys {
            guard let sequences = accounts[job]?.sequences else { continue }
            let left = sequences.filter { !condition($0.value.sequence) }
            if left.isEmpty { accounts[job] = nil } else { accounts[job]?.sequences = left }
        }
    }

    /// The next sequences, all of equal length and at most `tokens` tokens in total, but at least one; each is charged
    /// for its step.
    ///
    /// - Parameter ready: sequences for which this returns false are skipped.
    mutating func next(tokens: Int, ready: (SequenceID) -> Bool) -> [SequenceID]? {
        var waiting = readyEntries(ready)
        guard let first = waiting.keys.min(by: isBefore), let length = waiting[first]?.first?.length else { return nil }
        clock = max(clock, accounts[first]?.paid ?? 0)
        let most = max(1, tokens / max(1, length))
        var chosen: [SequenceID] = []
        while chosen.count < most, let (job, place) = candidate(waiting, length), isDue(job, waiting) {
            guard let entry = waiting[job]?.remove(at: place) else { break }
            chosen.append(entry.sequence)
            pay(entry.sequence, length)
        }
        return chosen
    }

    /// The sequences of each job that are ready for a step, those with the fewest steps first.
    private mutating func readyEntries(_ ready: (SequenceID) -> Bool) -> [Int: [Entry]] {
        var found: [Int: [Entry]] = [:]
        for job in accounts.keys {
            guard let account = accounts[job] else { continue }
            let entries = account.sequences.values.filter { ready($0.sequence) }
            if entries.isEmpty {
                accounts[job]?.wasSkipped = true
            } else {
                if account.wasSkipped { accounts[job]?.paid = max(account.paid, clock) }
                accounts[job]?.wasSkipped = false
                found[job] = entries.sorted { ($0.steps, $0.sequence.index) < ($1.steps, $1.sequence.index) }
            }
        }
        return found
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        (accounts[a]?.paid ?? 0, a) < (accounts[b]?.paid ?? 0, b)
    }

    /// The next sequence of `length` tokens, from the job with the lowest balance.
    private func candidate(_ waiting: [Int: [Entry]], _ length: Int) -> (job: Int, place: Int)? {
        let places = waiting.compactMap { job, entries in
            entries.firstIndex { $0.length == length }.map { (job: job, place: $0) }
        }
        return places.min { isBefore($0.job, $1.job) }
    }

    /// Whether another sequence of `job` may go without its account overtaking that of another ready job; jobs that are
    /// not ready do not count.
    private func isDue(_ job: Int, _ ready: [Int: [Entry]]) -> Bool {
        let paid = accounts[job]?.paid ?? 0
        return ready.keys.allSatisfy { $0 == job || paid <= accounts[$0]?.paid ?? 0 }
    }

    private mutating func pay(_ sequence: SequenceID, _ tokens: Int) {
        accounts[sequence.job]?.paid += tokens
        accounts[sequence.job]?.sequences[sequence.index]?.steps += 1
    }
}
