/// An error about a file or its content, in one line: where, what, and what to do.
public struct FileError: ClassifiedError, Sendable, Equatable {
    /// The class of the failure.
    public typealias Kind = FailureKind

    /// The class of the failure.
    public let kind: Kind
    /// What was found, and what was expected.
    public let problem: String
    /// The file or folder in question.
    public let source: String?
    /// The place within the source or the buffer, in bytes from its start.
    public let byteOffset: Int?
    /// What to do about it.
    public let remedy: String?

    /// The class of the failure.
    public var failure: FailureKind { kind }

    /// Creates an error from its parts.
    public init(
        _ kind: Kind, _ problem: String, source: String? = nil, byteOffset: Int? = nil, remedy: String? = nil
    ) {
        self.kind = kind
        self.problem = problem
        self.source = source
        self.byteOffset = byteOffset
        self.remedy = remedy
    }

    /// `SOURCE: PROBLEM at byte N; REMEDY`.
    public var description: String {
        var line = source.map { "\($0): " } ?? ""
        line += problem
        if let byteOffset { line += " at byte \(byteOffset)" }
        if let remedy { line += "; \(remedy)" }
        return line
    }

    /// The same error located in a whole file, given that the failing buffer began at byte `start`.
    package func located(in source: String, from start: Int = 0) -> FileError {
        FileError(kind, problem, source: source, byteOffset: byteOffset.map { $0 + start }, remedy: remedy)
    }
}
