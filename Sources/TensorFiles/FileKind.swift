package import Files

/// The kind of a file, determined by its first bytes, regardless of its name.
package enum FileKind: Equatable, Sendable {
    case safetensors
    /// A zip archive: PyTorch's format since 1.6.
    case zip
    /// A pickle; PyTorch files before 1.6 are a sequence of pickles.
    case pickle
    /// A JSON object, possibly an index of shards.
    case json
    /// The placeholder of a large file in a Git repository, and the size of that file in bytes.
    case gitPointer(bytes: String)
    case webPage
    /// A known kind other than weights; what to do with it.
    case other(String, remedy: String)
    case empty
    case unknown

    /// - Throws: ``FileError`` if the file cannot be read.
    package init(of file: RandomAccessFile) throws(FileError) {
        self = Self.of(try file.bytes(0..<min(file.count, 1024)), count: file.count)
    }

    /// The kind of a file of `count` bytes that begins with `start`.
    static func of(_ start: [UInt8], count: Int) -> FileKind {
        guard !start.isEmpty else { return .empty }
        let white: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        let looksLikeHeader = start.count > 8 && start[8...].first { !white.contains($0) } == UInt8(ascii: "{")
        // A plausible header length takes precedence: its bytes may look like anything, but no text has such small
        // values.
        let length = start.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if looksLikeHeader, length <= UInt64(max(0, count - 8)) { return .safetensors }
        if start.starts(with: [0x50, 0x4B, 3, 4]) || start.starts(with: [0x50, 0x4B, 5, 6]) { return .zip }
        if start.count > 1, start[0] == 0x80, (2...5).contains(start[1]) { return .pickle }
        let afterMark = start.starts(with: [0xEF, 0xBB, 0xBF]) ? start.dropFirst(3) : start[...]
        let text = String(decoding: afterMark.drop { white.contains($0) }, as: UTF8.self)
        if text.hasPrefix("version https://git-lfs") || text.hasPrefix("version http://git-media") {
            let size = text.split(separator: "\n").first { $0.hasPrefix("size ") }?.dropFirst(5)
            return .gitPointer(bytes: size.map { String($0.prefix(24)).trimmed } ?? "some")
        }
        let lower = text.prefix(64).lowercased()
        if ["<!doctype html", "<html", "<head", "<?xml", "<body"].contains(where: { lower.hasPrefix($0) }) {
            return .webPage
        }
        if text.hasPrefix("{") { return .json }
        if looksLikeHeader { return .safetensors }
        for (magic, name, remedy) in others where start.starts(with: magic) { return .other(name, remedy: remedy) }
        return .unknown
    }

    private static let others: [([UInt8], String, String)] = [
        (Array("GGUF".utf8), "a GGUF file (llama.cpp's)", "fetch the safetensors or PyTorch weights it was made of"),
        ([0x89] + Array("HDF".utf8), "an HDF5 file (Keras's)", "fetch the safetensors or PyTorch weights"),
        ([0x1F, 0x8B], "a gzip archive", "unpack it first"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a zstandard archive", "unpack it first"),
        ([0xFD] + Array("7zXZ".utf8), "an xz archive", "unpack it first"),
        ([0x42, 0x5A, 0x68], "a bzip2 archive", "unpack it first"),
        ([0x93] + Array("NUMPY".utf8), "a NumPy array", "save the weights as safetensors"),
    ]

    /// The error for a file that was expected to hold weights.
    func refusal(path: String) -> FileError {
        let expected = "expected weights: safetensors or a file of torch.save"
        switch self {
        case .gitPointer(let bytes):
            return FileError(
                .invalidData, "a Git LFS pointer: the \(bytes) bytes of the actual file are missing", source: path,
                remedy: "run 'git lfs pull' in its repository, or download the file itself")
        case .webPage:
            return FileError(
                .invalidData, "a web page, not weights", source: path,
                remedy: "download the file itself (on a model hub, its URL has /resolve/ instead of /blob/)")
        case .other(let name, let remedy):
            return FileError(.invalidData, "\(name); \(expected)", source: path, remedy: remedy)
        case .empty:
            return FileError(.invalidData, "an empty file; \(expected)", source: path, remedy: "download it again")
        case .json:
            return FileError(
                .invalidData, "a JSON file without a 'weight_map'; \(expected)", source: path,
                remedy: "name the weight file")
        default:
            return FileError(
                .invalidData, "not a known kind of weight file; \(expected)", source: path,
                remedy: "it is damaged or another kind of file: download it again, or name another")
        }
    }
}

extension String {
    /// Without white space at its ends.
    var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
