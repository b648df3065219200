import Files

/// Reads `tokenizer.json`, the file format of Hugging Face's `tokenizers`, if it contains a byte-level BPE tokenizer of
/// the type of GPT-2, CodeGen, Llama-3 or Qwen2. Anything else is refused by name.
///
/// Truncation, padding and the post-processor do not affect the ids of a text and are ignored.
struct TokenizerJSON {
    /// Special tokens that mark the end of a document; the first one present is used.
    static let endsOfText = ["<|endoftext|>", "<|end_of_text|>"]

    private let bytes: UnsafeBufferPointer<UInt8>
    private let source: String

    /// - Parameters:
    ///   - bytes: the file.
    ///   - source: name in messages.
    /// - Throws: `invalidData`.
    static func model(_ bytes: [UInt8], source: String) throws(TextError) -> BytePairModel {
        guard bytes.count <= Int(Int32.max) else {
            throw TextError(.invalidData, "\(bytes.count) bytes, too many for a tokenizer", source: source)
        }
        return try bytes.withUnsafeBufferPointer { buffer throws(TextError) in
            if let offset = UTF8Bytes.firstInvalid(in: buffer) {
                throw UTF8Bytes.invalid(at: offset).located(in: source)
            }
            return try TokenizerJSON(bytes: buffer, source: source).model()
        }
    }

    private func model() throws(TextError) -> BytePairModel {
        let file = try members(of: bytes)
        guard let model = file["model"] else {
            throw failure("not a tokenizer.json: it has no 'model'")
        }
        let parts = try members(of: model)
        let form = TokenizerForm(source: source)
        try form.check(model: tree(parts.filter { $0.key != "vocab" && $0.key != "merges" }))
        let splitting = try form.splitting(tree(file["pre_tokenizer"]))
        let composes = try form.composes(tree(file["normalizer"]))
        try form.check(decoder: tree(file["decoder"]))
        try form.check(postProcessor: tree(file["post_processor"]))
        let added = try form.addedTokens(tree(file["added_tokens"]))

        guard let vocabulary = parts["vocab"], let merges = parts["merges"] else {
            throw failure("the model has no 'vocab' or no 'merges'")
        }
        var table = try TokenTable(vocabulary, source: source)
        let onlyAdded = Set(added.filter { table.id(of: $0.content) == nil }.map { Int($0.id) })
        try table.add(added)
        let ends = Self.endsOfText.lazy.compactMap { table.id(of: Array($0.utf8)) }
        let made = try table.finished()
        var result = BytePairModel(
            vocabulary: made.vocabulary, byteIds: try byteIds(table),
            merges: try MergeList(source: source).table(merges, table), endOfText: ends.first)
        result.splitting = splitting
        result.composes = composes
        if try form.ignoresMerges(tree(parts["ignore_merges"])) {
            result.wholePieces = try VocabularyIndex(made.vocabulary, source: source) {
                made.isBytes[$0] && !onlyAdded.contains($0)
            }
        }
        result.added = AddedTokenMatcher(added.filter { !$0.normalized })
        result.addedComposed = AddedTokenMatcher(
            added.filter(\.normalized).map { token in
                guard composes else { return token }
                var composed = token
                let form = token.content.withUnsafeBufferPointer { ComposedForm.of($0) }
                if let form { composed = token.with(content: form) }
                return composed
            })
        return result
    }

    private func byteIds(_ table: TokenTable) throws(TextError) -> [Int32] {
        var ids: [Int32] = []
        for byte in UInt8.min...UInt8.max {
            guard let id = table.id(of: ByteAlphabet.letter(byte)) else {
                throw failure("no token for byte \(byte); expected a byte-level vocabulary, which has all 256")
            }
            ids.append(id)
        }
        return ids
    }

    private func failure(_ problem: String) -> TextError { TextError(.invalidData, problem, source: source) }

    // MARK: Parts of the file

    /// The members of an object as raw bytes; the last of repeated ones counts.
    private func members(
        of object: UnsafeBufferPointer<UInt8>
    ) throws(TextError) -> [String: UnsafeBufferPointer<UInt8>] {
        var scanner = JSONScanner(object, loneSurrogates: .replaced)
        var members: [String: UnsafeBufferPointer<UInt8>] = [:]
        do throws(JSONFault) {
            try RowText.members(of: &scanner) { name, scanner throws(JSONFault) in
                _ = scanner.peek()
                let start = scanner.place
                try RowText.skip(&scanner, depth: 1)
                members[String(decoding: name, as: UTF8.self)] = UnsafeBufferPointer(
                    rebasing: object[start..<scanner.place])
            }
            try scanner.expectEnd()
        } catch {
            throw failure("not a tokenizer.json: \(error.problem) at byte \(error.byteOffset)")
        }
        return members
    }

    private func tree(_ part: UnsafeBufferPointer<UInt8>?) throws(TextError) -> JSONValue {
        guard let part else { return .null }
        return try JSON.parse(Array(part), source: source)
    }

    private func tree(_ parts: [String: UnsafeBufferPointer<UInt8>]) throws(TextError) -> [String: JSONValue] {
        var trees: [String: JSONValue] = [:]
        for (name, part) in parts { trees[name] = try tree(part) }
        return trees
    }
}

extension AddedToken {
    func with(content: [UInt8]) -> AddedToken {
        AddedToken(
            id: id, content: content, special: special, normalized: normalized, singleWord: singleWord,
            stripsLeft: stripsLeft, stripsRight: stripsRight)
    }
}
