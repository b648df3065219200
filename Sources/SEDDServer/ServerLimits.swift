import SEDD

/// What the server takes on, so that no request and no number of them can exhaust it.
public struct ServerLimits: Sendable {
    /// Bytes of a request body.
    public var bodyBytes = 1 << 20
    /// Tokens of a sequence, prompt and holes together.
    public var length: Int
    /// Reverse steps of a sequence.
    public var steps = 1024
    /// Sequences of one request: prompts times `n`.
    public var sequences = 128
    /// Sequences that are under way at once, all of them in turn; a request that would make them more is refused. The last eighth is
    /// for requests of one sequence.
    public var running = 256
    /// Tokens of one network evaluation: how soon a newcomer joins, against how well products fill the processor.
    public var evaluationTokens = 4096
    /// Those of the engine.
    var engine: EngineLimits { EngineLimits(running: running, evaluationTokens: evaluationTokens) }
    /// From the arrival of a request to its last event.
    public var deadline: Duration = .seconds(300)
    /// Of that, what running requests get once the server has been asked to stop.
    public var grace: Duration = .seconds(30)
    /// Open connections. Further ones are let in at the cost of those that wait for nothing.
    public var connections = defaultConnections
    /// Of those, connections of one address (IPv4) or one network (IPv6, 64 bits).
    public var connectionsPerPeer = 256
    /// Connections beyond these, for health checks alone, while all of them are being answered.
    public var healthConnections = defaultHealthConnections
    /// From a connection's start, or from the head of a request, to the end of its head or of its body.
    public var receiving: Duration = .seconds(15)
    /// How long a connection may stay open between requests.
    public var idle: Duration = .seconds(75)

    /// See ``connections``.
    public static let defaultConnections = 512
    static let defaultHealthConnections = 32

    /// Limits for a model of `modelLength` positions.
    public init(modelLength: Int) {
        length = max(1024, modelLength)
    }
}
