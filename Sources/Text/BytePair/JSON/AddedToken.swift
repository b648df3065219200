/// A token matched in text before it is split, from `added_tokens` of a tokenizer.json.
struct AddedToken: Sendable, Equatable {
    let id: Int32
    /// Its text in UTF-8, not empty.
    let content: [UInt8]
    /// Whether it is special, such as an end of text.
    var special = false
    /// Whether it is matched after normalization, in its normalized form.
    var normalized = false
    /// Whether no letter, mark, digit or underscore may be adjacent to it.
    var singleWord = false
    /// Whether it absorbs preceding white space.
    var stripsLeft = false
    /// Whether it absorbs following white space.
    var stripsRight = false
}

/// Finds a set of tokens in a text: leftmost longest matches, without overlap.
struct AddedTokenMatcher: Sendable {
    /// A match, including absorbed white space.
    struct Match: Equatable {
        let range: Range<Int>
        let id: Int32
    }

    let tokens: [AddedToken]
    /// Whether the two bytes `a << 8 | b` begin a token. A single-byte token begins with any pair.
    private let beginnings: [Bool]
    private let singles: [Bool]
    private let trie: TokenTrie

    /// Among tokens with equal text, the first counts.
    init(_ tokens: [AddedToken]) {
        self.tokens = tokens
        var beginnings = [Bool](repeating: false, count: 1 << 16)
        var singles = [Bool](repeating: false, count: 256)
        var trie = TokenTrie()
        for (index, token) in tokens.enumerated() {
            if token.content.count == 1 {
                singles[Int(token.content[0])] = true
            } else {
                beginnings[Int(token.content[0]) << 8 | Int(token.content[1])] = true
            }
            trie.insert(token.content, number: index)
        }
        self.beginnings = beginnings
        self.singles = singles
        self.trie = trie
    }

    var isEmpty: Bool { tokens.isEmpty }

    /// Calls `body` with each match, from left to right.
    /// - Parameter skips: selects tokens to skip: their text remains text, and nothing else is matched within it.
    func forEachMatch(
        in text: UnsafeBufferPointer<UInt8>, skips: (AddedToken) -> Bool, _ body: (Match) -> Void
    ) {
        var place = 0
        // End of the last match, including absorbed white space.
        var taken = 0
        while let (start, length, token) = next(in: text, from: place) {
            place = start + length
            if skips(token) { continue }
            if token.singleWord {
                let touches =
                    WordCharacter.ends(UnsafeBufferPointer(rebasing: text[..<start]))
                    || WordCharacter.begins(UnsafeBufferPointer(rebasing: text[place...]))
                if touches { continue }
            }
            var range = start..<place
            if token.stripsLeft {
                // The token before has absorbed it.
                guard place > taken else { continue }
                range = max(taken, WordCharacter.spaceStart(before: start, in: text))..<place
            }
            if token.stripsRight { range = range.lowerBound..<WordCharacter.spaceEnd(after: place, in: text) }
            taken = range.upperBound
            body(Match(range: range, id: token.id))
        }
    }

    /// The next token at or after `place`.
    private func next(
        in text: UnsafeBufferPointer<UInt8>, from place: Int
    ) -> (start: Int, length: Int, token: AddedToken)? {
        var start = place
        while start < text.count {
            let byte = Int(text[start])
            let begins =
                singles[byte] || (start + 1 < text.count && beginnings[byte << 8 | Int(text[start + 1])])
            if begins, let (length, token) = trie.longest(in: text, at: start) { return (start, length, tokens[token]) }
            start += 1
        }
        return nil
    }

    /// Whether the set allows a cut between two bytes: no token contains them side by side, and no token that inspects
    /// its neighbours begins or ends there.
    func cuts() -> [Bool] {
        var allowed = [Bool](repeating: true, count: 1 << 16)
        for token in tokens {
            for (before, after) in zip(token.content, token.content.dropFirst()) {
                allowed[Int(before) << 8 | Int(after)] = false
            }
            guard token.singleWord || token.stripsLeft || token.stripsRight, let first = token.content.first,
                let last = token.content.last
            else { continue }
            for byte in 0..<256 {
                allowed[Int(last) << 8 | byte] = false
                allowed[byte << 8 | Int(first)] = false
            }
        }
        return allowed
    }
}
