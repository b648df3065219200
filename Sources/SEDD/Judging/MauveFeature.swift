/// How a text is reduced to one vector: which tokens' hidden vectors are averaged.
public enum MauveFeature: Sendable, Equatable {
    /// The last token's, as in published figures.
    case last
    /// The mean over all tokens.
    case mean
    /// The mean over a range of tokens: the generated part of a text that is partly given.
    case range(Range<Int>)

    /// Name in reports.
    public var name: String {
        switch self {
        case .last: "last token"
        case .mean: "mean of all tokens"
        case .range: "mean of the generated tokens"
        }
    }

    /// The positions of those tokens in a row of `width`, after `start` preceding tokens; at least one.
    func positions(of count: Int, after start: Int, within width: Int) -> Range<Int> {
        let wanted: Range<Int> =
            switch self {
            case .last: (count - 1)..<count
            case .mean: 0..<count
            case .range(let range): range
            }
        let upper = max(1, min(wanted.upperBound + start, width))
        return min(max(0, wanted.lowerBound + start), upper - 1)..<upper
    }
}
