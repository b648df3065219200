/// The corpora of published perplexities, each with its own conversion from a file to rows of text.
public enum DataSetName: String, Sendable, CaseIterable {
    /// WikiText-2 (Merity et al. 2016), the raw form.
    case wikitext2
    /// WikiText-103, the raw form.
    case wikitext103
    /// Penn Treebank in Mikolov's form, one sentence per line.
    case ptb
    /// LAMBADA as prepared for GPT-2: JSON lines with a `text`.
    case lambada
    /// The One Billion Word benchmark, one sentence per line.
    case lm1b
    /// The first 10^8 characters of a cleaned Wikipedia: 26 letters and the space.
    case text8

    /// The detokenizer of the corpus; nil if there is none.
    public var detokenizer: Detokenizer? {
        switch self {
        case .wikitext2, .wikitext103: .wikitext
        case .ptb: .ptb
        case .lambada: .lambada
        case .lm1b: .lm1b
        case .text8: nil
        }
    }

    /// How a file other than JSON lines is split into rows.
    var lineRows: TextRows.Lines {
        switch self {
        // A blank line is an empty row; other lines keep their line end, which is part of the article.
        case .wikitext2, .wikitext103: .kept
        case .ptb, .lambada, .lm1b: .trimmed
        case .text8: .none
        }
    }

    /// Whether an end of text follows each row.
    var separatesRows: Bool { self != .text8 }
}
