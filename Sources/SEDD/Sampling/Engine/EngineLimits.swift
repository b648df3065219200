/// Limits on the concurrent work of an engine.
public struct EngineLimits: Sendable {
    /// Maximum number of sequences in progress, over all jobs; a job that would exceed it is refused.
    package var running: Int
    /// Tokens per network evaluation: small enough that a new job is served soon, large enough to keep the processor
    /// busy.
    package var evaluationTokens: Int

    /// The default of `evaluationTokens`.
    public static let standardTokens = 4096

    /// Creates limits.
    package init(running: Int = 256, evaluationTokens: Int = standardTokens) {
        self.running = running
        self.evaluationTokens = evaluationTokens
    }
}
