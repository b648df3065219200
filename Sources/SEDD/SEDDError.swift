/// What went wrong above the tensor engine and the texts.
public struct SEDDError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds that a caller may want to tell apart.
    public enum Kind: Sendable, Equatable {
        /// An option or a value that makes no sense.
        case usage
        /// Data that are not what they should be.
        case invalidData
        /// An input that does not exist.
        case missingInput
        /// A place that cannot be written to.
        case cannotWrite
        /// Numbers that are no longer numbers.
        case diverged
        /// The user asked to stop.
        case interrupted
    }

    public let kind: Kind
    /// One line: what was expected, what was found, what to do.
    public let description: String

    /// - Parameter description: one line: what was expected, what was found, what to do.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
