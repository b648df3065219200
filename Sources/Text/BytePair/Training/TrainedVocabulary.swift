/// The tokens before any merge: the special ones in the order given, then the bytes in the order of the characters that
/// stand for them.
struct VocabularySeed {
    /// As vocabulary files write them, in UTF-8.
    private(set) var tokens: [[UInt8]] = []
    /// Different texts of `specials`, in their order.
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
            // A special token may be a single character; then it is that byte.
            byteIds[Int(byte)] = ids[letter] ?? Int32(tokens.count)
            if ids[letter] == nil { tokens.append(letter) }
        }
    }
}

/// A vocabulary as a trainer has learnt it.
public struct TrainedVocabulary: Sendable {
    /// Number of tokens.
    public var count: Int { tokens.count }
    /// Number of merges; some may make a token that is there already.
    public var mergeCount: Int { merges.count }

    /// As vocabulary files write them, in UTF-8, in the order of the ids.
    private(set) var tokens: [[UInt8]]
    /// The first tokens, which are special.
    let specials: [String]
    /// In the order learnt. Where different merges make one token, pairs with it may be learnt again.
    private(set) var learnt: [TokenPair] = []
    private var ids: [[UInt8]: Int32] = [:]

    init(_ seed: VocabularySeed) {
        tokens = seed.tokens
        specials = seed.specials
        for (id, token) in tokens.enumerated() { ids[token] = Int32(id) }
    }

    /// Learns a merge.
    /// - Returns: the token that it makes: a new one, or the one of the same text.
    mutating func merge(_ pair: TokenPair) -> Int32 {
        let token = tokens[Int(pair.left)] + tokens[Int(pair.right)]
        learnt.append(pair)
        if let id = ids[token] { return id }
        let id = Int32(tokens.count)
        ids[token] = id
        tokens.append(token)
        return id
    }

    /// The merges in the order of their ranks. One that was learnt twice has the rank of the second time.
    var merges: [TokenPair] {
        var last: [TokenPair: Int] = [:]
        for (rank, pair) in learnt.enumerated() { last[pair] = rank }
        return learnt.enumerated().compactMap { last[$1] == $0 ? $1 : nil }
    }
}
