/// Receives an engine's events, for metrics.
package protocol EngineObserver: Sendable {
    /// The number of sequences in progress has changed.
    func running(_ sequences: Int)
    /// A job was refused.
    func refused()
    /// A shared network evaluation has ended.
    func evaluated(sequences: Int, in duration: Duration)
    /// A sequence has finished.
    func finished(_ trajectory: Trajectory)
    /// A job ended before its sequences finished.
    func ended(with error: any Error)
}

/// Reports nothing.
struct NoObserver: EngineObserver {
    func running(_ sequences: Int) {}
    func refused() {}
    func evaluated(sequences: Int, in duration: Duration) {}
    func finished(_ trajectory: Trajectory) {}
    func ended(with error: any Error) {}
}
