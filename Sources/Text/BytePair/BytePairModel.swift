/// A byte-pair encoding, independent of file formats.
struct BytePairModel: Sendable {
    /// The bytes of each id, for decoding.
    let vocabulary: Vocabulary
    /// The ids of the 256 bytes.
    let byteIds: [Int32]
    let merges: MergeTable
    var splitting = PieceSplitting.gpt2
    /// Whether text is NFC-normalized before it is split.
    var composes = false
    /// Pieces that are tokens themselves and bypass merging; nil if merges always decide.
    var wholePieces: VocabularyIndex?
    /// Tokens matched in the original text, and in its normalized form.
    var added = AddedTokenMatcher([])
    var addedComposed = AddedTokenMatcher([])
    let endOfText: Int32?

    /// Whether any token other than special ones is matched before splitting.
    var findsTokens: Bool {
        (added.tokens + addedComposed.tokens).contains { !$0.special && $0.id != endOfText }
    }

    /// Whether any token includes adjacent white space.
    var stripsSpace: Bool {
        (added.tokens + addedComposed.tokens).contains { $0.stripsLeft || $0.stripsRight }
    }

    /// Whether its behaviour is fully described by GPT-2's two files.
    private var isPlain: Bool {
        splitting == .gpt2 && !composes && wholePieces == nil && !findsTokens
    }

    /// A hash of which tokens each merge joins. The fingerprint, which must stay that of earlier versions, does not
    /// tell merges apart that join other tokens to the same results.
    var mergesHash: String {
        var hash = Fingerprint()
        merges.slots.filter { $0 != .max }.sorted().forEach { hash.combine(Int(truncatingIfNeeded: $0)) }
        return hash.text
    }

    /// A fingerprint (16 hexadecimal digits) of what determines ids: equal for the same tokenizer in other files.
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
