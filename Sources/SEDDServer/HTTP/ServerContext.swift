package import Hummingbird
import Logging
import NIOCore

/// What is known of a request beside itself.
package struct ServerContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Its connection.
    let channel: any Channel
    let arrival = ContinuousClock.now

    package init(source: Source) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}
