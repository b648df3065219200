/// What kind of failure an error reports: what a command's exit code, and a caller that recovers, depend on.
public enum FailureKind: String, Sendable, CaseIterable {
    /// An option or a value that the caller chose is invalid.
    case usage
    /// A file or a value is not what it should be.
    case invalidData
    /// A file or folder does not exist or cannot be read.
    case missingInput
    /// A file or folder cannot be written.
    case cannotWrite
    /// A loss, a gradient or a weight is not finite.
    case diverged
    /// The user asked to stop.
    case interrupted
    /// Memory, a device or the tensor engine failed.
    case engine
}

/// An error that says in one line what was expected, what was found and what to do, and of which kind it is.
public protocol ClassifiedError: Error, CustomStringConvertible {
    var failure: FailureKind { get }
}
