import AsyncHTTPClient
import Files
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// Classifies network errors.
enum NetworkFault {
    /// Whether the error comes from the network rather than from this program.
    static func isOne(_ error: any Error) -> Bool {
        !(error is FileError || error is HubRefusal || error is CancellationError)
    }

    /// Whether a retry may succeed soon. Unknown hosts and refused connections usually persist, and a cached copy
    /// should not have to wait for them.
    static func isTransient(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError:
            [.readTimeout, .remoteConnectionClosed, .uncleanShutdown].contains(error)
        case let error as IOError: [ECONNRESET, EPIPE, ETIMEDOUT, EINTR].contains(error.errnoCode)
        case is ChannelError: true
        default: false
        }
    }

    static func refusal(_ error: any Error, of model: HubModel, at settings: HubSettings) -> HubRefusal {
        HubRefusal(
            .unavailable, "\(model.repository): \(settings.endpoint) cannot be reached (\(reason(error, settings)))",
            "check the network and HF_ENDPOINT, or set HF_HUB_OFFLINE=1 to use the cache alone")
    }

    private static func reason(_ error: any Error, _ settings: HubSettings) -> String {
        switch error {
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout: return "no connection within \(settings.metadataTimeout) seconds"
            case .readTimeout, .deadlineExceeded: return "no answer within \(settings.metadataTimeout) seconds"
            case .remoteConnectionClosed: return "it closed the connection"
            default: return "\(error)"
            }
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first?.error as? IOError {
                return FileSystem.reason(first.errnoCode)
            }
            return error.dnsAError != nil || error.dnsAAAAError != nil ? "unknown host" : "no connection"
        case let error as IOError: return FileSystem.reason(error.errnoCode)
        case is NIOSSLError: return "no secure connection: \(error)"
        default: return "\(error)"
        }
    }
}
