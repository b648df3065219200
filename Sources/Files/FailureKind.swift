/// The class of a failure, which determines a command's exit code and how callers recover.
public enum FailureKind: String, Sendable, CaseIterable {
    /// An option or value chosen by the caller is invalid.
    case usage
    /// A file or value is malformed.
    case invalidData
    /// A file or folder does not exist or cannot be read.
    case missingInput
    /// A file or folder cannot be written.
    case cannotWrite
    /// A loss, a gradient or a weight is not finite.
    case diverged
    /// The user interrupted the operation.
    case interrupted
    /// Out of memory, or a failure of a device or of libtorch.
    case engine
    /// Another process of the job, or the network, failed; the same command may succeed if it is started again.
    case temporary
}

/// An error that states in one line what was expected, what was found and what to do, with its class.
public protocol ClassifiedError: Error, CustomStringConvertible {
    /// The class of the failure.
    var failure: FailureKind { get }
}
