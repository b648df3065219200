/// The sequences that one request wants generated.
package struct Job: Sendable {
    /// The sequences in their initial state.
    package var sequences: [Trajectory]
    /// Whether every step is reported, or only the results.
    package var everyStep: Bool
    /// The deadline.
    package var deadline: ContinuousClock.Instant

    /// Creates a job.
    package init(
        sequences: [Trajectory], everyStep: Bool, deadline: ContinuousClock.Instant
    ) {
        self.sequences = sequences
        self.everyStep = everyStep
        self.deadline = deadline
    }
}

/// An event of a job.
package enum JobEvent: Sendable {
    /// The index of one of its sequences, and its state after a step.
    case step(index: Int, Trajectory)
    /// A heartbeat is due.
    case tick
}
