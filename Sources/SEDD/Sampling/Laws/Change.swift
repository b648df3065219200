/// A change of one position by an advance.
public struct Change: Sendable, Equatable {
    /// A token that the position could have taken, and its probability.
    public struct Alternative: Sendable, Equatable {
        /// The token.
        public let token: Int
        /// Its probability among all states other than the previous one.
        public let probability: Double
    }

    /// The position.
    public let position: Int
    /// The new state.
    public let state: Int
    /// Probability of the new state among all states other than the previous one; nil unless the trajectory reports
    /// alternatives, and for tokens that were masked again.
    public let probability: Double?
    /// The most probable states, in descending order; as many as the trajectory reports.
    public let alternatives: [Alternative]
}
