import Files

/// The tokens of a tokenizer.json, by id and by text.
struct TokenTable {
    private var tokens: [Int: [UInt8]] = [:]
    private var ids: [[UInt8]: Int32] = [:]
    private let source: String

    /// - Parameter vocabulary: a JSON object that maps tokens to ids.
    /// - Throws: `invalidData` if it is malformed, or two tokens have the same id or text.
    init(_ vocabulary: UnsafeBufferPointer<UInt8>, source: String) throws(TextError) {
        self.source = source
        var parser = VocabularyParser(vocabulary, source: "\(source), vocab")
        var found: [(token: [UInt8], id: Int)] = []
        try parser.forEach { token, id throws(TextError) in found.append((Array(token), id)) }
        ids.reserveCapacity(found.count)
        tokens.reserveCapacity(found.count)
        for (token, id) in found { try insert(token, id) }
    }

    /// Adds the tokens of `added_tokens`; tokens already in the vocabulary must have the same ids.
    mutating func add(_ added: [AddedToken]) throws(TextError) {
        for token in added {
            if ids[token.content] == token.id { continue }
            try insert(token.content, Int(token.id))
        }
    }

    func id(of text: [UInt8]) -> Int32? { ids[text] }

    private mutating func insert(_ token: [UInt8], _ id: Int) throws(TextError) {
        let text = String(decoding: token, as: UTF8.self)
        guard (0..<Vocabulary.greatestCount).contains(id) else {
            throw failure("token '\(text)' has id \(id); expected 0 to \(Vocabulary.greatestCount - 1)")
        }
        if let other = tokens[id] {
            throw failure("tokens '\(String(decoding: other, as: UTF8.self))' and '\(text)' have the same id \(id)")
        }
        if let other = ids[token] { throw failure("token '\(text)' has ids \(other) and \(id)") }
        tokens[id] = token
        ids[token] = Int32(id)
    }

    /// The bytes of each id, and whether each token consists of byte-encoding characters.
    /// - Throws: `invalidData` if ids have gaps.
    func finished() throws(TextError) -> (vocabulary: Vocabulary, isBytes: [Bool]) {
        var list: [[UInt8]] = []
        var isBytes: [Bool] = []
        for id in 0..<tokens.count {
            guard let token = tokens[id] else {
                throw failure("there are \(tokens.count) tokens, but none has id \(id); expected ids without gaps")
            }
            var meant: [UInt8] = []
            let stands = token.withUnsafeBufferPointer { ByteAlphabet.append($0, to: &meant) }
            list.append(stands ? meant : token)
            isBytes.append(stands)
        }
        return (Vocabulary(list), isBytes)
    }

    private func failure(_ problem: String) -> TextError {
        TextError(.invalidData, problem, source: source, remedy: "download the file again")
    }
}

/// The merges of a tokenizer.json: pairs of strings, or in older files two strings joined by a space.
struct MergeList {
    let source: String

    func table(_ list: UnsafeBufferPointer<UInt8>, _ tokens: TokenTable) throws(TextError) -> MergeTable {
        var pairs: [([UInt8], [UInt8])] = []
        do throws(JSONFault) { pairs = try read(list) } catch {
            throw TextError(
                .invalidData, "the merges are not a list of pairs: \(error.problem) at byte \(error.byteOffset) of it",
                source: source, remedy: "download the file again")
        }
        guard pairs.count < MergeTable.greatestCount else {
            throw TextError(.invalidData, "\(pairs.count) merges are too many", source: source)
        }
        var table = MergeTable(capacity: pairs.count)
        for (index, (left, right)) in pairs.enumerated() {
            func id(_ token: [UInt8]) throws(TextError) -> Int32 {
                if let id = tokens.id(of: token) { return id }
                throw TextError(
                    .invalidData, "merge \(index): the vocabulary lacks '\(String(decoding: token, as: UTF8.self))'",
                    source: source, remedy: "download the file again")
            }
            // If a pair occurs twice, the later merge counts.
            _ = try table.append(id(left), id(right), to: id(left + right), replaces: true)
        }
        return table
    }

    private func read(_ list: UnsafeBufferPointer<UInt8>) throws(JSONFault) -> [([UInt8], [UInt8])] {
        var scanner = JSONScanner(list, loneSurrogates: .replaced)
        var pairs: [([UInt8], [UInt8])] = []
        func fault(_ problem: String) -> JSONFault { scanner.fault(problem) }
        guard scanner.take(UInt8(ascii: "[")) else { throw fault("expected a list") }
        if scanner.take(UInt8(ascii: "]")) { return [] }
        while true {
            if scanner.take(UInt8(ascii: "[")) {
                var (left, right): ([UInt8], [UInt8]) = ([], [])
                try scanner.string(into: &left)
                try scanner.expect(UInt8(ascii: ","))
                try scanner.string(into: &right)
                try scanner.expect(UInt8(ascii: "]"))
                pairs.append((left, right))
            } else {
                var text: [UInt8] = []
                try scanner.string(into: &text)
                let parts = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
                guard parts.count == 2 else { throw fault("expected two tokens and a space between them") }
                pairs.append((Array(parts[0]), Array(parts[1])))
            }
            if scanner.take(UInt8(ascii: "]")) { break }
            try scanner.expect(UInt8(ascii: ","))
        }
        try scanner.expectEnd()
        return pairs
    }
}
