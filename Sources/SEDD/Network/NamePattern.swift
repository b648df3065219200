import Files
import Text

/// A name pattern in which `*` matches any characters, including none.
struct NamePattern: Sendable {
    private let parts: [Substring]

    init(_ text: String) { parts = text.split(separator: "*", omittingEmptySubsequences: false) }

    /// Whether the pattern matches all of `name`.
    func matches(_ name: String) -> Bool {
        guard let first = parts.first, let last = parts.last, parts.count > 1 else { return name == parts.first ?? "" }
        guard name.hasPrefix(first), name.dropFirst(first.count).hasSuffix(last) else { return false }
        // Matching each part between two stars as early as possible leaves the most for the others.
        var rest = name.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}

extension WeightLayout {
    /// The names matched by any of `patterns`.
    ///
    /// - Parameter key: configuration key to name in messages.
    /// - Throws: ``SEDDError`` of kind `invalidData` if a pattern matches nothing, or the patterns match every name.
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
            throw SEDDError(
                .invalidData, "\(key): the patterns match all weights; expected at least one that is left to train")
        }
        return found
    }
}
