/// What a byte-pair tokenizer is made of, whatever files it comes from.
struct BytePairModel: Sendable {
    /// The bytes of each id, for decoding.
    let vocabulary: Vocabulary
    /// The ids of the 256 bytes.
    let byteIds: [Int32]
    let merges: MergeTable
    var splitting = PieceSplitting.gpt2
    /// Whether text is composed (NFC) before it is split.
    var composes = false
    /// Pieces that are tokens themselves, which merges are not asked about; nil where merges decide.
    var wholePieces: VocabularyIndex?
    /// Tokens that are looked for in the text as it is, and in its composed form.
    var added = AddedTokenMatcher([])
    var addedComposed = AddedTokenMatcher([])
    let endOfText: Int32?

    /// Whether any token but special ones is looked for before splitting.
    var findsTokens: Bool {
        (added.tokens + addedComposed.tokens).contains { !$0.special && $0.id != endOfText }
    }

    /// Whether some token takes white space that stands beside it.
    var stripsSpace: Bool {
        (added.tokens + addedComposed.tokens).contains { $0.stripsLeft || $0.stripsRight }
    }

    /// Whether it does what GPT-2's two files alone say.
    private var isPlain: Bool {
        splitting == .gpt2 && !composes && wholePieces == nil && !findsTokens
    }

    /// Sixteen hexadecimal digits over everything that decides ids: equal for the same tokenizer in other files.
    var fingerprint: String {
        var fingerprint = Fingerprint()
        fingerprint.combine(isPlain ? BytePairTokenizer.gpt2Kind : BytePairTokenizer.jsonKind)
        fingerprint.combine(vocabulary.count)
        vocabulary.offsets.forEach { fingerprint.combine(Int($0)) }
        fingerprint.combine(vocabulary.bytes)
        merges.results.forEach { fingerprint.combine(Int($0)) }
        guard !isPlain else { return fingerprint.text }
        merges.slots.filter { $0 != .max }.sorted().forEach { fingerprint.combine(Int(truncatingIfNeeded: $0)) }
        byteIds.forEach { fingerprint.combine(Int($0)) }
        fingerprint.combine(splitting.name)
        fingerprint.combine(composes ? 1 : 0)
        fingerprint.combine(wholePieces == nil ? 0 : 1)
        for token in added.tokens + addedComposed.tokens {
            fingerprint.combine(Int(token.id))
            fingerprint.combine(token.content)
            let flags = [token.special, token.normalized, token.singleWord, token.stripsLeft, token.stripsRight]
            flags.forEach { fingerprint.combine($0 ? 1 : 0) }
        }
        return fingerprint.text
    }
}
