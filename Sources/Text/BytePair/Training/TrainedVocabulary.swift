/// The tokens before any merge: the special ones in the given order, then the bytes in the order of the characters that
/// encode them.
struct VocabularySeed {
    /// As in vocabulary files, in UTF-8.
    private(set) var tokens: [[UInt8]] = []
    /// The distinct texts of `specials`, in order.
    private(set) var specials: [String] = []
    /// The ids of the 256 bytes.
    private(set) var byteIds = [Int32](repeating: -1, count: 256)

    init(_ specials: [String]) {
        var ids: [[UInt8]: Int32] = [:]
        for special in specials where ids[Array(special.utf8)] == nil {
            ids[Array(special.utf8)] = Int32(tokens.count)
            tokens.append(Array(special.utf8))
            self.specials.append(special)
        }
        for byte in ByteAlphabet.bytes where byte >= 0 {
            let letter = ByteAlphabet.letter(UInt8(truncatingIfNeeded: byte))
            // A special token may be a single character; it is then that byte.
            byteIds[Int(byte)] = ids[letter] ?? Int32(tokens.count)
            if ids[letter] == nil { tokens.append(letter) }
        }
    }
}

/// A trained vocabulary.
public struct TrainedVocabulary: Sendable {
    /// Number of tokens.
    public var count: Int { tokens.count }
    /// Number of merges; some may produce an existing token.
    public var mergeCount: Int { merges.count }

    /// As in vocabulary files, in UTF-8, in id order.
    private(set) var tokens: [[UInt8]]
    /// The special tokens, which come first.
    let specials: [String]
    /// In the order learned. If different merges produce the same token, pairs with it may be learned again.
    private(set) var learned: [TokenPair] = []
    private var ids: [[UInt8]: Int32] = [:]

    init(_ seed: VocabularySeed) {
        tokens = seed.tokens
        specials = seed.specials
        for (id, token) in tokens.enumerated() { ids[token] = Int32(id) }
    }

    /// Adds a merge.
    /// - Returns: the resulting token: a new one, or an existing one with the same text.
    mutating func merge(_ pair: TokenPair) -> Int32 {
        let token = tokens[Int(pair.left)] + tokens[Int(pair.right)]
        learned.append(pair)
        if let id = ids[token] { return id }
        let id = Int32(tokens.count)
        ids[token] = id
        tokens.append(token)
        return id
    }

    /// The merges by rank. A merge learned twice has the rank of its second occurrence.
    var merges: [TokenPair] {
        var last: [TokenPair: Int] = [:]
        for (rank, pair) in learned.enumerated() { last[pair] = rank }
        return learned.enumerated().compactMap { last[$1] == $0 ? $1 : nil }
    }
}
