import Files
import NIOCore

/// Why the server could not listen on its address.
package enum ListenFailure {
    /// The reason in the system's words, without names of types and functions.
    package static func reason(_ error: any Error) -> String {
        switch error {
        case let error as SocketAddressError.UnknownHost:
            "the host is unknown (\(error.errorDescription.lowercased()))"
        case let error as IOError: FileSystem.reason(error.errnoCode)
        default: "\(error)"
        }
    }
}
