/// What an advance did to one position.
public struct Change: Sendable, Equatable {
    /// A token that a position could have taken, and how probable that was.
    public struct Alternative: Sendable, Equatable {
        public let token: Int
        public let probability: Double
    }

    public let position: Int
    /// The new state.
    public let state: Int
    /// Share of the new state among all states that the position could have left for; nil unless the sequence reports
    /// alternatives, and where a token was taken back.
    public let probability: Double?
    /// The most probable of those states, the most probable first; as many as the sequence reports.
    public let alternatives: [Alternative]
}
