import CTorch

/// Work on a CUDA device that is captured once and then launched as one, which costs the processor one call instead of
/// hundreds.
///
/// What is captured may neither read from the device nor move anything to it, and works on the same arrays each time. Whoever
/// replays a graph is its only user at that moment; that is what `@unchecked Sendable` rests on.
public final class CUDAGraph: @unchecked Sendable {
    /// Memory that the captures of several graphs share, where none is replayed before another's results have been read.
    public struct Memory: Sendable {
        fileprivate let pool: CTGraphPool

        public init() throws(TorchError) {
            var made = CTGraphPool()
            try check(ct_graph_new_pool(&made), "graph memory")
            pool = made
        }
    }

    private let handle: CTGraph

    /// Runs `body` twice on a stream of its own: once for what must be there before a capture (kernels, libraries, their
    /// workspaces), and once captured. What the second run makes stays where it is for as long as someone holds it.
    public init(on device: Device, in memory: Memory, _ body: () throws -> Void) throws {
        var made = CTGraph()
        try check(ct_graph_create(device.handle, &made), "graph")
        handle = made
        try check(ct_graph_enter(handle), "graph")
        do {
            try body()
            try check(ct_graph_begin(handle, memory.pool), "capture")
            try body()
        } catch {
            // The capture is broken off; why is told by `error`.
            _ = ct_graph_leave(handle)
            throw error
        }
        try check(ct_graph_leave(handle), "capture")
    }

    deinit { ct_graph_destroy(handle) }

    /// Launches what was captured on the current stream.
    public func replay() throws(TorchError) {
        try check(ct_graph_replay(handle), "replay")
    }

    /// Names that are looked up in libtorch's CUDA part.
    static var symbols: [String] {
        var names: [String] = []
        while let name = ct_cuda_symbol(Int32(names.count)) { names.append(String(cString: name)) }
        return names
    }
}
