/// Which part of a text is given and which is generated.
struct StudyPrompt: Sendable {
    let name: String
    /// Generated positions; all others are given.
    let written: Range<Int>

    /// Half of the text given, before or after the hole, or a quarter on each side of it.
    static func all(length: Int) -> [StudyPrompt] {
        [
            StudyPrompt(name: "prefix", written: length / 2..<length),
            StudyPrompt(name: "suffix", written: 0..<length / 2),
            StudyPrompt(name: "infilling", written: length / 4..<3 * length / 4),
        ]
    }

    /// The given tokens of a text, nil elsewhere.
    func template(_ text: [Int]) -> [Int?] {
        text.indices.map { written.contains($0) ? nil : text[$0] }
    }

    /// A text whose hole is filled from the same positions of another.
    func filled(_ text: [Int], by other: [Int]) -> [Int] {
        text.indices.map { written.contains($0) ? other[$0] : text[$0] }
    }
}
