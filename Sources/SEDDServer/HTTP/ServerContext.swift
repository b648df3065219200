package import Hummingbird
import Logging
import NIOCore

/// Per-request context.
package struct ServerContext: RequestContext {
    /// Storage required by Hummingbird.
    package var coreContext: CoreRequestContextStorage
    /// The request's connection.
    let channel: any Channel
    let arrival = ContinuousClock.now

    /// Creates the context of a request.
    package init(source: Source) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}
