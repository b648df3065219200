import Files
import Foundation
package import Yams

/// YAML from outside, without what means something else than it seems to, and what can grow without bound.
package enum YAMLText {
    /// The document in `text`; nil if it is empty.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` for text that is not YAML, and for anchors and aliases that may
    ///   expand out of proportion.
    package static func node(_ text: String, source: String) throws(SEDDError) -> Node? {
        let (anchors, aliases) = (words("&", text), words("*", text))
        // As many copies as can be made of a value, at best by equally many aliases of each of several anchors.
        let levels = min(anchors, max(1, aliases / 3))
        let copies = levels == 0 || aliases == 0 ? 1 : pow(Double(aliases) / Double(levels), Double(levels))
        guard copies * Double(text.utf8.count) < 1e8 else {
            throw SEDDError(
                .invalidData,
                "\(source): \(anchors) anchors and \(aliases) aliases may expand without bound; write the values themselves"
            )
        }
        do { return try Yams.compose(yaml: text) } catch {
            throw SEDDError(
                .invalidData, "\(source): not valid YAML: \("\(error)".split(separator: "\n").first ?? "")")
        }
    }

    /// How many words of the text begin with `mark`; whatever they are, there are no more anchors or aliases than
    /// these.
    private static func words(_ mark: Character, _ text: String) -> Int {
        zip(text, text.dropFirst()).reduce(0) { $0 + ($1.0 == mark && !$1.1.isWhitespace ? 1 : 0) }
    }

    /// A plain number that YAML 1.1 reads in another base: the number and how to write it; nil for other values.
    static func fault(_ node: Node) -> String? {
        guard let scalar = node.scalar, scalar.style == .plain else { return nil }
        let text = scalar.string
        if text.wholeMatch(of: /[-+]?0[0-9_]+/) != nil {
            return "\(text.prefix(40)), which YAML reads as an octal number; write it without the leading zero"
        }
        if text.wholeMatch(of: /[-+]?[0-9][0-9_]*(:[0-9_]+)+(\.[0-9_]*)?/) != nil {
            return "\(text.prefix(40)), which YAML reads as a number of base 60; write it as a decimal number"
        }
        return nil
    }

    /// Refuses such numbers anywhere in a document.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData`.
    static func requireDecimals(_ node: Node, source: String) throws(SEDDError) {
        if let fault = fault(node) { throw SEDDError(.invalidData, "\(source): \(fault)") }
        for value in node.mapping?.values.map({ $0 }) ?? node.sequence?.map({ $0 }) ?? [] {
            try requireDecimals(value, source: source)
        }
    }
}
