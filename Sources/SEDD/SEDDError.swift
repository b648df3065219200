public import Files

/// What went wrong above the tensor engine and the texts.
public struct SEDDError: ClassifiedError, Sendable, Equatable {
    public typealias Kind = FailureKind

    public let kind: Kind
    /// One line: what was expected, what was found, what to do.
    public let description: String

    public var failure: FailureKind { kind }

    /// - Parameter description: one line: what was expected, what was found, what to do.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
