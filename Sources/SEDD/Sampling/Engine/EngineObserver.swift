/// Receives an engine's events, for metrics.
package protocol EngineObserver: Sendable {
    /// The number of sequences in progress has changed.
    func running(_ sequences: Int)
    /// A job was refused.
    func refused()
    /// A shared network evaluation has ended.
    func evaluated(sequences: Int, in duration: Duration)
    /// A sequence has taken a step, `duration` after its previous one or, for the first, after its submission.
    func advanced(after duration: Duration)
    /// The first token of a sequence has settled, `duration` after its job was submitted.
    func settledFirst(after duration: Duration)
    /// A sequence has finished.
    ///
    /// - Parameter revised: how many of its written tokens were remasked or replaced.
    func finished(_ trajectory: Trajectory, revised: Int)
    /// A job ended before its sequences finished.
    func ended(with error: any Error)
}

/// Reports nothing.
struct NoObserver: EngineObserver {
    func running(_ sequences: Int) {}
    func refused() {}
    func evaluated(sequences: Int, in duration: Duration) {}
    func advanced(after duration: Duration) {}
    func settledFirst(after duration: Duration) {}
    func finished(_ trajectory: Trajectory, revised: Int) {}
    func ended(with error: any Error) {}
}
