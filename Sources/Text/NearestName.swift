/// Of a list of names the one that somebody probably meant.
package enum NearestName {
    /// A name that `text` begins, or else the one that takes the fewest edits from it; nil for an empty list.
    package static func of(_ text: String, among names: some Sequence<String>) -> String? {
        let edits = names.map { (name: $0, count: !text.isEmpty && $0.hasPrefix(text) ? 0 : distance($0, text)) }
        return edits.min { $0.count < $1.count }?.name
    }

    /// Levenshtein's edit distance.
    private static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a), Array(b))
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let cost = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(cost, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
