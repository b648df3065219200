/// How the writing of one sequence has gone so far, for metrics.
struct WritingRecord {
    /// When the last step ended; at first, when the job was submitted.
    private(set) var last: ContinuousClock.Instant
    /// How often a token that had been written was taken back or replaced.
    private(set) var revised = 0
    /// Whether a token has been written that was not taken back in the same step.
    private(set) var hasSettled = false
    /// Positions that hold a token that the method wrote. What a uniform chain begins with is noise, and does not count.
    private var written: Set<Int> = []

    init(submitted: ContinuousClock.Instant) { last = submitted }

    /// Takes note of a step that ends now.
    ///
    /// - Parameter mask: the state of an open position, where the chain has one.
    /// - Returns: how long after the step before.
    mutating func note(_ changes: [Change], mask: Int?, at now: ContinuousClock.Instant = .now) -> Duration {
        defer { last = now }
        for change in changes {
            if change.state == mask {
                revised += written.remove(change.position) == nil ? 0 : 1
            } else if !written.insert(change.position).inserted {
                revised += 1
            }
        }
        hasSettled = hasSettled || !written.isEmpty
        return now - last
    }
}
