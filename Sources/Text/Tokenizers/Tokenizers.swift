public import Files
public import Foundation

/// Loads the tokenizers of model folders.
public enum Tokenizers {
    /// The kinds that `config.json` may name.
    public static let kinds = [
        ByteTokenizer.kind, CharacterTokenizer.kind, BytePairTokenizer.gpt2Kind, BytePairTokenizer.jsonKind,
    ]

    /// Loads the tokenizer in a model folder.
    /// - Parameter kind: the kind named by `config.json`; if nil, the files in the folder decide.
    /// - Throws: `missingInput` if the folder has no tokenizer; `invalidData` for an unknown kind or malformed files.
    public static func load(kind: String? = nil, folder: URL) throws(TextError) -> any Tokenizer {
        let alphabet = folder.appendingPathComponent(CharacterTokenizer.fileName)
        switch kind {
        case ByteTokenizer.kind: return ByteTokenizer()
        case CharacterTokenizer.kind: return try CharacterTokenizer(alphabetOf: alphabet)
        case BytePairTokenizer.gpt2Kind: return try BytePairTokenizer(folder: folder)
        case BytePairTokenizer.jsonKind: return try BytePairTokenizer(json: folder)
        case let unknown?:
            throw TextError(
                .invalidData, "unknown kind of tokenizer '\(unknown)'", source: folder.path,
                remedy: "name one of \(kinds.joined(separator: ", ")) in config.json")
        case nil: break
        }
        // It specifies how text is split, which the other files leave open.
        let json = folder.appendingPathComponent(BytePairTokenizer.jsonName)
        if FileSystem.exists(json) { return try BytePairTokenizer(json: json) }
        if BytePairFiles.pair(in: folder) != nil { return try BytePairTokenizer(folder: folder) }
        if FileSystem.exists(alphabet) { return try CharacterTokenizer(alphabetOf: alphabet) }
        throw TextError(
            .missingInput, "no tokenizer in this model folder", source: folder.path,
            remedy: "pass --tokenizer byte, characters:FILE, gpt2:DIR or hf:PATH")
    }
}
