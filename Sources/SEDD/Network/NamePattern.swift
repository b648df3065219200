import Files
import Text

/// A name in which `*` stands for any characters, none included.
struct NamePattern: Sendable {
    private let parts: [Substring]

    init(_ text: String) { parts = text.split(separator: "*", omittingEmptySubsequences: false) }

    /// Whether all of `name` is of this pattern.
    func matches(_ name: String) -> Bool {
        guard let first = parts.first, let last = parts.last, parts.count > 1 else { return name == parts.first ?? "" }
        guard name.hasPrefix(first), name.dropFirst(first.count).hasSuffix(last) else { return false }
        // Each part between two stars as early as it stands: what is left for the others is then longest.
        var rest = name.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}

extension WeightLayout {
    /// The names that any of `patterns` matches.
    ///
    /// - Parameter key: what messages call the patterns.
    /// - Throws: ``SEDDError`` of kind `invalidData` where a pattern matches nothing, or all patterns together everything.
    func names(matching patterns: [String], key: String) throws(SEDDError) -> Set<String> {
        var found = Set<String>()
        for text in patterns {
            let pattern = NamePattern(text)
            let names = entries.map(\.name).filter(pattern.matches)
            guard !names.isEmpty else {
                let nearest = NearestName.of(text, among: entries.map(\.name)) ?? ""
                throw SEDDError(
                    .invalidData,
                    "\(key): no weights are called '\(text)'; did you mean '\(nearest)'? * stands for any characters")
            }
            found.formUnion(names)
        }
        guard found.count < entries.count else {
            throw SEDDError(.invalidData, "\(key): nothing is left to train; leave some weights out")
        }
        return found
    }
}
