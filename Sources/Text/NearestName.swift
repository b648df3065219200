/// Suggests the name that was probably meant.
package enum NearestName {
    /// A name that begins with `text`, or else the one at the smallest edit distance; nil for an empty list.
    package static func of(_ text: String, among names: some Sequence<String>) -> String? {
        let edits = names.map { (name: $0, count: !text.isEmpty && $0.hasPrefix(text) ? 0 : distance($0, text)) }
        return edits.min { $0.count < $1.count }?.name
    }

    /// The same if it is close enough: `text`, of three letters or more, begins it or is one of its words, or differs
    /// by at most one edit per three letters; otherwise nil.
    package static func near(_ text: String, among names: some Sequence<String>) -> String? {
        guard text.count >= 3 else { return nil }
        let isWord = { (name: String) in name.split { "_.-".contains($0) }.contains { $0 == text } }
        guard let name = of(text, among: names) else { return nil }
        if name.hasPrefix(text) || distance(name, text) <= text.count / 3 { return name }
        return names.first(where: isWord)
    }

    /// Edit distance with insertions, deletions, replacements and transpositions (optimal string alignment).
    private static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a), Array(b))
        var (before, above) = ([Int](), Array(0...b.count))
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var least = min(above[j] + (a[i] == b[j] ? 0 : 1), above[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
                row.append(least)
            }
            (before, above) = (above, row)
        }
        return above[b.count]
    }
}
