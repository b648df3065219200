/// What an engine reports about itself, for metrics.
package protocol EngineObserver: Sendable {
    /// How many sequences are under way.
    func running(_ sequences: Int)
    /// A job was not accepted.
    func refused()
    /// One shared network evaluation has ended.
    func evaluated(sequences: Int, in duration: Duration)
    /// A sequence has reached its end.
    func finished(_ trajectory: Trajectory)
    /// A job ended before its sequences did.
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
