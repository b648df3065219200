import CTorch
public import Files

/// An error of libtorch or of this wrapper.
public struct TorchError: ClassifiedError, Sendable {
    /// The kinds that callers may want to distinguish.
    public enum Kind: Sendable, Equatable {
        /// Out of memory: use a smaller batch or a shorter length.
        case outOfMemory
        /// An index or dimension out of range.
        case index
        /// An invalid value.
        case value
        /// A file that cannot be written.
        case cannotWrite
        /// A device that is not available.
        case device
        /// Another process of the job, or the network, failed or exceeded the time limit.
        case peer
        /// Any other error reported by libtorch.
        case engine
    }

    /// The kind of error.
    public let kind: Kind

    /// The class of the failure.
    public var failure: FailureKind {
        switch kind {
        case .cannotWrite: .cannotWrite
        case .device: .usage
        case .peer: .temporary
        case .outOfMemory, .index, .value, .engine: .engine
        }
    }

    /// One line: what was expected, what was found, what to do.
    public let description: String

    /// - Parameter description: one line: what was expected, what was found, what to do.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

/// Turns a status into a typed error that names the operation.
func check(_ status: CTStatus, _ operation: StaticString) throws(TorchError) {
    guard status != CT_OK else { return }
    let kind: TorchError.Kind =
        switch status {
        case CT_OUT_OF_MEMORY: .outOfMemory
        case CT_BAD_INDEX: .index
        case CT_BAD_VALUE: .value
        default: .engine
        }
    let whole = String(cString: ct_last_error())
    let line = whole.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? "no message"
    throw TorchError(kind, "\(operation): \(line)")
}
