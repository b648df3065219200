/// What went wrong with a text, a tokenizer or a token file, in one line: where, what, and what to do.
public struct TextError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Whose turn it is to act; a command line maps these to exit codes.
    public enum Kind: String, Sendable, CaseIterable {
        /// A file or value is not what it should be.
        case invalidData
        /// A file or folder is not there, or cannot be read.
        case missingInput
        /// A file or folder could not be written.
        case cannotWrite
        /// The caller asked for something that has no meaning.
        case usage
    }

    public let kind: Kind
    /// What was found, and what was expected.
    public let problem: String
    /// The file or folder in question.
    public let source: String?
    /// The place within the source or the buffer, in bytes from its start.
    public let byteOffset: Int?
    /// What to do about it.
    public let remedy: String?

    public init(
        _ kind: Kind, _ problem: String, source: String? = nil, byteOffset: Int? = nil, remedy: String? = nil
    ) {
        self.kind = kind
        self.problem = problem
        self.source = source
        self.byteOffset = byteOffset
        self.remedy = remedy
    }

    public var description: String {
        var line = source.map { "\($0): " } ?? ""
        line += problem
        if let byteOffset { line += " at byte \(byteOffset)" }
        if let remedy { line += "; \(remedy)" }
        return line
    }

    /// The same error as seen from a whole file, of which the buffer that failed began at byte `start`.
    func located(in source: String, from start: Int = 0) -> TextError {
        TextError(kind, problem, source: source, byteOffset: byteOffset.map { $0 + start }, remedy: remedy)
    }
}
