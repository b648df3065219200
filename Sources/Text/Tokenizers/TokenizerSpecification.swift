public import Files
import Foundation

/// A tokenizer as specified on the command line or in a configuration: `byte`, `characters:FILE`, `gpt2:DIR` or
/// `hf:PATH`.
public enum TokenizerSpecification: Sendable, Equatable, Codable, CustomStringConvertible {
    /// One token per byte.
    case byte
    /// The alphabet of a text file.
    case characters(file: String)
    /// The folder holds `vocab.json` and `merges.txt`, or `encoder.json` and `vocab.bpe`.
    case gpt2(folder: String)
    /// A `tokenizer.json`, or its folder.
    case hf(path: String)

    /// - Throws: `usage` that lists the four forms.
    public init(_ text: String) throws(TextError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count > 1 ? parts[1] : nil) {
        case (ByteTokenizer.kind, nil): self = .byte
        case (CharacterTokenizer.kind, let file?) where !file.isEmpty: self = .characters(file: file)
        case (BytePairTokenizer.gpt2Kind, let folder?) where !folder.isEmpty: self = .gpt2(folder: folder)
        case (BytePairTokenizer.jsonKind, let path?) where !path.isEmpty: self = .hf(path: path)
        default:
            throw TextError(
                .usage, "the tokenizer '\(text)' is unknown", remedy: "give byte, characters:FILE, gpt2:DIR or hf:PATH")
        }
    }

    /// The specification as text.
    public var description: String {
        switch self {
        case .byte: ByteTokenizer.kind
        case .characters(let file): "\(CharacterTokenizer.kind):\(file)"
        case .gpt2(let folder): "\(BytePairTokenizer.gpt2Kind):\(folder)"
        case .hf(let path): "\(BytePairTokenizer.jsonKind):\(path)"
        }
    }

    /// Reads one string.
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    /// Writes one string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// Loads the tokenizer; paths are relative to the working directory.
    /// - Throws: `missingInput`, `invalidData`.
    public func load() throws(TextError) -> any Tokenizer {
        switch self {
        case .byte: ByteTokenizer()
        case .characters(let file): try CharacterTokenizer(alphabetOf: FileSystem.url(file))
        case .gpt2(let folder): try BytePairTokenizer(folder: FileSystem.url(folder))
        case .hf(let path): try BytePairTokenizer(json: FileSystem.url(path))
        }
    }
}
