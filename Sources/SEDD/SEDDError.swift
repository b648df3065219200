public import Files

/// An error raised by this library above the tensor and text layers.
public struct SEDDError: ClassifiedError, Sendable, Equatable {
    /// The classes of failure, which determine a command's exit code.
    public typealias Kind = FailureKind

    /// The class of the failure.
    public let kind: Kind
    /// One line: what was expected, what was found, what to do.
    public let description: String

    /// The class of the failure.
    public var failure: FailureKind { kind }

    /// - Parameter description: one line: what was expected, what was found, what to do.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
