/// Undoes the tokenization of a corpus, by the rules with which published perplexities were measured.
///
/// The rules are applied in order, each to the whole row. They have quirks (some apply to the result of an earlier one,
/// one of WikiText's inserts its own pattern into the text), which are reproduced: different rules would be a different
/// test set.
public struct Detokenizer: Sendable {
    let rules: [DetokenizerRule]

    /// The row as running text.
    public func callAsFunction(_ row: String) -> String {
        var text = Array(row.unicodeScalars)
        for rule in rules { text = rule.applied(to: text) }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: text)
        return String(result)
    }

    /// WikiText: number separators, spaces before punctuation and inside brackets and quotes, headings.
    public static let wikitext = Detokenizer(rules: [
        .replace("s '", "s'"), .slashedDigit,
        .replace(" @-@ ", "-"), .replace(" @,@ ", ","), .replace(" @.@ ", "."),
        .replace(" : ", ": "), .replace(" ; ", "; "), .replace(" . ", ". "), .replace(" ! ", "! "),
        .replace(" ? ", "? "), .replace(" , ", ", "),
        .close("(", ")"), .close("[", "]"), .close("{", "}"), .close("\"", "\""), .close("'", "'"),
        .replace("= = = =", "===="), .replace("= = =", "==="), .replace("= =", "=="),
        .replace(" ° ", "°"), .replace(" \n", "\n"), .replace("\n ", "\n"), .replace(" N ", " 1 "),
        .replace(" 's", "'s"),
    ])

    /// Penn Treebank: contractions, escaped slashes, numbers (N) and unknown words.
    public static let ptb = Detokenizer(
        rules: [
            .replace(" 's", "'s"), .replace("s ' ", "s' "), .replace(" n't", "n't"), .replace(" \n ", "\n"),
            .replace("\\/", "/"),
        ]
            // Adjacent Ns share a space, so one pass misses every other one.
            + [DetokenizerRule](repeating: .replace(" N ", " 1 "), count: 10)
            + [.replace("$ 1", "$1"), .replace("# 1", "#1"), .replace("<unk>", "?")])

    /// The One Billion Word benchmark: addresses, contractions, punctuation, quotes, currencies.
    public static let lm1b = Detokenizer(rules: [
        .replace("http : / / ", "http://"), .replace("https : / / ", "https://"),
        .attachContraction, .attachStop, .attachLastStop,
        .replace(" ? ", "? "), .attachLast("?"), .replace(" ! ", "! "), .attachLast("!"),
        .replace(" , ", ", "), .replace(" : ", ": "), .replace(" ; ", "; "), .replace(" / ", "/"),
        .closeSpaced("\"", "\"", stops: "\""), .closeSpaced("'", "'", stops: "'"),
        .closeSpaced("(", ")", stops: "()"), .closeSpaced("[", "]", stops: "[]"),
        .replace("$ ", "$"), .replace("£ ", "£"),
    ])

    /// LAMBADA: straight quotes, no white space at the ends, a line end before each passage.
    public static let lambada = Detokenizer(rules: [.replace("“", "\""), .replace("”", "\""), .trim(before: "\n")])
}
