/// Sequences that one request wants written, on their way.
package struct Job: Sendable {
    /// The sequences as they stand at first.
    package var sequences: [Trajectory]
    /// Whether each step is wanted, or the results alone.
    package var everyStep: Bool
    /// When it ends at the latest.
    package var deadline: ContinuousClock.Instant

    package init(
        sequences: [Trajectory], everyStep: Bool, deadline: ContinuousClock.Instant
    ) {
        self.sequences = sequences
        self.everyStep = everyStep
        self.deadline = deadline
    }
}

/// What a job tells.
package enum JobEvent: Sendable {
    /// Which of its sequences, and how it stands after a step.
    case step(index: Int, Trajectory)
    /// Nothing has happened for a while.
    case tick
}
