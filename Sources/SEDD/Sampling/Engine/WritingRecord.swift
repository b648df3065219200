/// Progress of one sequence, for metrics.
struct WritingRecord {
    /// Time of the last step's end; initially the time of submission.
    private(set) var last: ContinuousClock.Instant
    /// How often a written token was remasked or replaced.
    private(set) var revised = 0
    /// Whether a token has been written and not remasked in the same step.
    private(set) var hasSettled = false
    /// Positions that hold a token written by the method; the initial noise of a uniform chain does not count.
    private var written: Set<Int> = []

    init(submitted: ContinuousClock.Instant) { last = submitted }

    /// Records a step that ends now.
    ///
    /// - Parameter mask: the absorbing state, if there is one.
    /// - Returns: time since the previous step.
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
