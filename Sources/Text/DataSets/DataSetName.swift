/// The corpora that published perplexities are compared on, each with its own way from a file to rows of text.
public enum DataSetName: String, Sendable, CaseIterable {
    /// WikiText-2 (Merity et al. 2016), the raw form.
    case wikitext2
    /// WikiText-103, the raw form.
    case wikitext103
    /// Penn Treebank in Mikolov's form, a sentence a line.
    case ptb
    /// LAMBADA as prepared for GPT-2: JSON lines with a `text`.
    case lambada
    /// The One Billion Word benchmark, a sentence a line.
    case lm1b
    /// The first 10^8 characters of a cleaned Wikipedia: 26 letters and the space.
    case text8

    /// What undoes the corpus's tokenization; nil where there is nothing to undo.
    public var detokenizer: Detokenizer? {
        switch self {
        case .wikitext2, .wikitext103: .wikitext
        case .ptb: .ptb
        case .lambada: .lambada
        case .lm1b: .lm1b
        case .text8: nil
        }
    }

    /// How a file that is not JSON lines becomes rows.
    var lineRows: TextRows.Lines {
        switch self {
        // A blank line is a row without text; others keep their line end, which is part of the article.
        case .wikitext2, .wikitext103: .kept
        case .ptb, .lambada, .lm1b: .trimmed
        case .text8: .none
        }
    }

    /// Whether an end of text follows each row.
    var separatesRows: Bool { self != .text8 }
}
