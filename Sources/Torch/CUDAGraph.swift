import CTorch

/// Work on a CUDA device, captured once and then launched as a unit: one host call instead of hundreds.
///
/// Captured work may neither read from the device nor copy to it, and uses the same arrays each time. Only one thread
/// may replay a graph at a time, which justifies `@unchecked Sendable`.
public final class CUDAGraph: @unchecked Sendable {
    /// A memory pool shared by the captures of several graphs; a graph may be replayed only after the results of the
    /// previous one have been read.
    public struct Memory: Sendable {
        fileprivate let pool: CTGraphPool

        /// Creates a pool.
        public init() throws(TorchError) {
            var made = CTGraphPool()
            try check(ct_graph_new_pool(&made), "graph memory")
            pool = made
        }
    }

    private let handle: CTGraph

    /// Runs `body` twice on a stream of its own: once to initialize kernels, libraries and workspaces, and once
    /// captured. The results of the second run stay in place as long as they are referenced.
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
            // The capture is aborted; `error` has the reason.
            _ = ct_graph_leave(handle)
            throw error
        }
        try check(ct_graph_leave(handle), "capture")
    }

    deinit { ct_graph_destroy(handle) }

    /// Launches the captured work on the current stream.
    public func replay() throws(TorchError) {
        try check(ct_graph_replay(handle), "replay")
    }

    /// Names looked up in libtorch's CUDA library.
    static var symbols: [String] {
        var names: [String] = []
        while let name = ct_cuda_symbol(Int32(names.count)) { names.append(String(cString: name)) }
        return names
    }
}
