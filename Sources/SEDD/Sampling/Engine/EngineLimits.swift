/// How much an engine works on at once.
public struct EngineLimits: Sendable {
    /// Sequences that are under way at once, of all jobs; a job that would exceed it is refused.
    package var running: Int
    /// Tokens of one network evaluation: small enough that a newcomer joins soon, large enough that products fill the processor.
    package var evaluationTokens: Int

    /// The standard of ``evaluationTokens``.
    public static let standardTokens = 4096

    package init(running: Int = 256, evaluationTokens: Int = standardTokens) {
        self.running = running
        self.evaluationTokens = evaluationTokens
    }
}
