/// How a text becomes one vector: which of its tokens' hidden vectors are averaged.
public enum MauveFeature: Sendable, Equatable {
    /// That of the last token alone, as in published figures.
    case last
    /// Those of all tokens.
    case mean
    /// Those of the tokens of a range: what was written, where the rest was given.
    case part(Range<Int>)

    /// What reports call it.
    public var name: String {
        switch self {
        case .last: "last token"
        case .mean: "mean of all tokens"
        case .part: "mean of the written tokens"
        }
    }

    /// The places of those tokens in a row of `width`, behind `start` other tokens; at least one.
    func positions(of count: Int, after start: Int, within width: Int) -> Range<Int> {
        let wanted: Range<Int> =
            switch self {
            case .last: (count - 1)..<count
            case .mean: 0..<count
            case .part(let range): range
            }
        let upper = max(1, min(wanted.upperBound + start, width))
        return min(max(0, wanted.lowerBound + start), upper - 1)..<upper
    }
}
