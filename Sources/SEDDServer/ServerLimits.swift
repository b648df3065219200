import SEDD

/// Limits of a server that prevent any client from exhausting it.
public struct ServerLimits: Sendable {
    /// Maximum size of a request body, bytes.
    public var bodyBytes = 1 << 20
    /// Maximum tokens per sequence, prompt and holes together.
    public var length: Int
    /// Maximum reverse steps per sequence.
    public var steps = 1024
    /// Maximum sequences per request: prompts times `n`.
    public var sequences = 128
    /// Maximum sequences in progress, all of which advance in turn; a request that would exceed it is refused. The last
    /// eighth is reserved for requests of one sequence.
    public var running = 256
    /// Tokens per network evaluation: trades latency of new requests against throughput of matrix products.
    public var evaluationTokens = 4096
    /// The limits of the engine.
    var engine: EngineLimits { EngineLimits(running: running, evaluationTokens: evaluationTokens) }
    /// Deadline from the arrival of a request to its last event.
    public var deadline: Duration = .seconds(300)
    /// Grace period of running requests after a stop request.
    public var grace: Duration = .seconds(30)
    /// Maximum open connections. Further ones evict idle connections.
    public var connections = defaultConnections
    /// Maximum connections of one IPv4 address or one IPv6 /64 network.
    public var connectionsPerPeer = 256
    /// Additional connections for health checks only, when all others are being served.
    public var healthConnections = defaultHealthConnections
    /// Timeout from a connection's start to the end of a request head, and from there to the end of its body.
    public var receiving: Duration = .seconds(15)
    /// How long a connection may stay idle between requests.
    public var idle: Duration = .seconds(75)

    /// The default of ``connections``.
    public static let defaultConnections = 512
    static let defaultHealthConnections = 32

    /// Default limits for a model trained on `modelLength` tokens.
    public init(modelLength: Int) {
        length = max(1024, modelLength)
    }
}
