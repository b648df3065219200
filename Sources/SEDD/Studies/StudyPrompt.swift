/// Where a text is given and where it is written.
struct StudyPrompt: Sendable {
    let name: String
    /// Positions that are written; all others are given.
    let written: Range<Int>

    /// Half of the text given before or behind the hole, or a quarter on each side of it.
    static func all(length: Int) -> [StudyPrompt] {
        [
            StudyPrompt(name: "prefix", written: length / 2..<length),
            StudyPrompt(name: "suffix", written: 0..<length / 2),
            StudyPrompt(name: "infilling", written: length / 4..<3 * length / 4),
        ]
    }

    /// The given tokens of a text, nil for the others.
    func template(_ text: [Int]) -> [Int?] {
        text.indices.map { written.contains($0) ? nil : text[$0] }
    }

    /// A text with its hole filled by the same places of another.
    func filled(_ text: [Int], by other: [Int]) -> [Int] {
        text.indices.map { written.contains($0) ? other[$0] : text[$0] }
    }
}
