/// Of a list of names the one that somebody probably meant.
package enum NearestName {
    /// A name that `text` begins, or else the one that takes the fewest edits from it; nil for an empty list.
    package static func of(_ text: String, among names: some Sequence<String>) -> String? {
        let edits = names.map { (name: $0, count: !text.isEmpty && $0.hasPrefix(text) ? 0 : distance($0, text)) }
        return edits.min { $0.count < $1.count }?.name
    }

    /// The same where it is near enough to have been meant: `text`, of three letters or more, begins it or is one of its words, or
    /// takes one edit for every three letters at most; nil where none is.
    package static func near(_ text: String, among names: some Sequence<String>) -> String? {
        guard text.count >= 3 else { return nil }
        let isWord = { (name: String) in name.split { "_.-".contains($0) }.contains { $0 == text } }
        guard let name = of(text, among: names) else { return nil }
        if name.hasPrefix(text) || distance(name, text) <= text.count / 3 { return name }
        return names.first(where: isWord)
    }

    /// Edits from one text to the other: insertions, deletions, replacements, and swaps of neighbours (optimal string alignment).
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
