import Files

/// Validates the parts of a tokenizer.json other than vocabulary and merges.
struct TokenizerForm {
    let source: String

    private func refused(_ what: String) -> TextError {
        TextError(
            .invalidData, "\(what) is not supported", source: source,
            remedy: "expected byte-level BPE of the form of GPT-2, CodeGen, Llama-3 or Qwen2")
    }

    /// - Parameter model: its members except vocabulary and merges.
    func check(model: [String: JSONValue]) throws(TextError) {
        // Early files do not name a type.
        switch model["type"] ?? .null {
        case .string("BPE"), .null: break
        case .string(let type): throw refused("a model of type '\(type)'")
        default: throw refused("a model whose type is not a string")
        }
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            guard [.null, .string("")].contains(model[name] ?? .null) else { throw refused("a \(name)") }
        }
        guard [.null, .integer(0), .number(0)].contains(model["dropout"] ?? .null) else { throw refused("a dropout") }
        guard [.null, .bool(false)].contains(model["byte_fallback"] ?? .null) else {
            throw refused("byte_fallback (a SentencePiece vocabulary)")
        }
    }

    func ignoresMerges(_ value: JSONValue) throws(TextError) -> Bool {
        switch value {
        case .bool(let flag): return flag
        case .null: return false
        default: throw refused("an ignore_merges that is neither true nor false")
        }
    }

    /// Whether text is NFC-normalized before it is split.
    func composes(_ normalizer: JSONValue) throws(TextError) -> Bool {
        switch try parts(of: normalizer, "normalizer", list: "normalizers") {
        case let parts where parts.isEmpty: return false
        case let parts where parts.allSatisfy({ $0.type == "NFC" }): return true
        case let parts:
            let other = parts.first { $0.type != "NFC" }
            throw refused("the normalizer '\(other?.type ?? "")'")
        }
    }

    func splitting(_ preTokenizer: JSONValue) throws(TextError) -> PieceSplitting {
        let parts = try parts(of: preTokenizer, "pre-tokenizer", list: "pretokenizers")
        guard let last = parts.last, last.type == "ByteLevel" else {
            let other = parts.first { $0.type != "ByteLevel" && $0.type != "Split" }
            throw refused(other.map { "the pre-tokenizer '\($0.type)'" } ?? "a pre-tokenizer without ByteLevel")
        }
        // Both default to true.
        guard last.members["add_prefix_space"] == .bool(false) else {
            throw refused("a pre-tokenizer with add_prefix_space")
        }
        let splits = last.members["use_regex"] != .bool(false)
        switch (parts.count, splits) {
        case (1, true): return .gpt2
        case (2, false): return try splitting(by: parts[0])
        case (1, false): throw refused("a pre-tokenizer that does not split")
        default: throw refused("a sequence of \(parts.count) pre-tokenizers")
        }
    }

    private func splitting(by part: (type: String, members: [String: JSONValue])) throws(TextError) -> PieceSplitting {
        guard part.type == "Split" else { throw refused("the pre-tokenizer '\(part.type)'") }
        guard case .object(let pattern) = part.members["pattern"] ?? .null,
            case .string(let expression) = pattern["Regex"] ?? .null
        else { throw refused("splitting by another pattern than a Regex") }
        // A pattern that matches every text gives the same pieces either way.
        switch (part.members["behavior"] ?? .null, part.members["invert"] ?? .bool(false)) {
        case (.string("Isolated"), .bool(false)), (.string("Removed"), .bool(true)): break
        default: throw refused("splitting whose behavior is not Isolated")
        }
        guard let known = PieceSplitting(expression: expression) else {
            throw refused("splitting by the expression \(expression)")
        }
        return known
    }

    func check(decoder: JSONValue) throws(TextError) {
        let parts = try parts(of: decoder, "decoder", list: "decoders")
        guard !parts.isEmpty else { throw refused("a file without a decoder") }
        if let other = parts.first(where: { $0.type != "ByteLevel" }) { throw refused("the decoder '\(other.type)'") }
    }

    /// Tokens that it would add around a text are not used.
    func check(postProcessor: JSONValue) throws(TextError) {
        let known = ["ByteLevel", "TemplateProcessing", "RobertaProcessing", "BertProcessing"]
        for part in try parts(of: postProcessor, "post-processor", list: "processors") where !known.contains(part.type)
        {
            throw refused("the post-processor '\(part.type)'")
        }
    }

    func addedTokens(_ list: JSONValue) throws(TextError) -> [AddedToken] {
        guard list != .null else { return [] }
        guard case .array(let values) = list else { throw refused("an added_tokens that is not a list") }
        var tokens: [AddedToken] = []
        for value in values {
            guard case .object(let members) = value, case .integer(let id) = members["id"] ?? .null,
                (0..<Vocabulary.greatestCount).contains(id), case .string(let content) = members["content"] ?? .null
            else { throw refused("an added token without an id below \(Vocabulary.greatestCount) and a content") }
            // An empty text never matches.
            guard !content.isEmpty else { continue }
            func flag(_ name: String) -> Bool { members[name] == .bool(true) }
            tokens.append(
                AddedToken(
                    id: Int32(id), content: Array(content.utf8), special: flag("special"),
                    normalized: flag("normalized"), singleWord: flag("single_word"), stripsLeft: flag("lstrip"),
                    stripsRight: flag("rstrip")))
        }
        // If two tokens have equal text, the special one is matched first.
        return tokens.filter(\.special) + tokens.filter { !$0.special }
    }

    /// The members of a Sequence, a single component, or nothing.
    private func parts(
        of value: JSONValue, _ what: String, list: String
    ) throws(TextError) -> [(type: String, members: [String: JSONValue])] {
        guard value != .null else { return [] }
        guard case .object(let members) = value, case .string(let type) = members["type"] ?? .null else {
            throw refused("a \(what) without a type")
        }
        guard type == "Sequence" else { return [(type, members)] }
        guard case .array(let values) = members[list] ?? .null else { throw refused("a Sequence without \(list)") }
        var parts: [(type: String, members: [String: JSONValue])] = []
        for value in values { parts += try self.parts(of: value, what, list: list) }
        return parts
    }
}
